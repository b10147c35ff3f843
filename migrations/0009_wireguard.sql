ALTER TABLE `networks` ADD `transport` text DEFAULT 'plain' NOT NULL;--> statement-breakpoint
ALTER TABLE `sites` ADD `wireguard` text;--> statement-breakpoint
ALTER TABLE `sites` ADD `tunnel_hash` integer;--> statement-breakpoint
ALTER TABLE `tenants` ADD `transport` text DEFAULT 'plain' NOT NULL;--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_guards` (
	`failed` text,
	CONSTRAINT "not_found" CHECK(failed <> 'not_found'),
	CONSTRAINT "quota_exceeded" CHECK(failed <> 'quota_exceeded'),
	CONSTRAINT "vni_not_free" CHECK(failed <> 'vni_not_free'),
	CONSTRAINT "pool_overlap" CHECK(failed <> 'pool_overlap'),
	CONSTRAINT "vni_in_use" CHECK(failed <> 'vni_in_use'),
	CONSTRAINT "tenant_not_empty" CHECK(failed <> 'tenant_not_empty'),
	CONSTRAINT "join_token_invalid" CHECK(failed <> 'join_token_invalid'),
	CONSTRAINT "join_token_used_up" CHECK(failed <> 'join_token_used_up'),
	CONSTRAINT "idempotency_in_progress" CHECK(failed <> 'idempotency_in_progress'),
	CONSTRAINT "conflict" CHECK(failed <> 'conflict'),
	CONSTRAINT "transport_required" CHECK(failed <> 'transport_required'),
	CONSTRAINT "transport_not_for_site" CHECK(failed <> 'transport_not_for_site'),
	CONSTRAINT "plain_networks" CHECK(failed <> 'plain_networks'),
	CONSTRAINT "wireguard_key_taken" CHECK(failed <> 'wireguard_key_taken')
);
--> statement-breakpoint
INSERT INTO `__new_guards`("failed") SELECT "failed" FROM `guards`;--> statement-breakpoint
DROP TABLE `guards`;--> statement-breakpoint
ALTER TABLE `__new_guards` RENAME TO `guards`;--> statement-breakpoint
PRAGMA foreign_keys=ON;