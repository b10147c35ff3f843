ALTER TABLE `events` ADD `number` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `events_tenant_kind_at` ON `events` (`tenant_id`,`kind`,`at`);--> statement-breakpoint
ALTER TABLE `networks` ADD `mac_rows` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `looks_at` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `site_status` ADD `standing` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `tenants` ADD `resting_vnis` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_guards` (
	`failed` text,
	CONSTRAINT "not_found" CHECK(failed <> 'not_found'),
	CONSTRAINT "quota_exceeded" CHECK(failed <> 'quota_exceeded'),
	CONSTRAINT "vnis_resting" CHECK(failed <> 'vnis_resting'),
	CONSTRAINT "too_many" CHECK(failed <> 'too_many'),
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
PRAGMA foreign_keys=ON;--> statement-breakpoint
UPDATE `site_status` SET `standing` = (SELECT json_group_array(json_array(r.value ->> 'vni', r.value ->> 'revision', r.value ->> 'digest',
	r.value ->> 'error', r.value ->> 'heldRemovals')) FROM json_each(`report`) r);--> statement-breakpoint
UPDATE `networks` SET `mac_rows` = (SELECT count(*) FROM `macs` WHERE `network_id` = `networks`.`id`);--> statement-breakpoint
UPDATE `tenants` SET `resting_vnis` = (SELECT count(*) FROM `vni_quarantine` WHERE `tenant_id` = `tenants`.`id`);--> statement-breakpoint
UPDATE `events` SET `number` = counted.`number`
	FROM (SELECT `id`, row_number() OVER (PARTITION BY `tenant_id`, `kind` ORDER BY `at`, `id`) AS `number` FROM `events`) AS counted
	WHERE `events`.`id` = counted.`id`;
