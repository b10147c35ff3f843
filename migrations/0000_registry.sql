CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`hash` text NOT NULL,
	`expires_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `api_keys_tenant` ON `api_keys` (`tenant_id`,`id`);--> statement-breakpoint
CREATE TABLE `attachments` (
	`tenant_id` text NOT NULL,
	`network_id` text NOT NULL,
	`site_id` text NOT NULL,
	`vni` integer NOT NULL,
	`port` text NOT NULL,
	`state` text NOT NULL,
	`attached_revision` integer NOT NULL,
	`revision` integer NOT NULL,
	`gone_at` integer,
	PRIMARY KEY(`network_id`, `site_id`)
);
--> statement-breakpoint
CREATE INDEX `attachments_network_revision` ON `attachments` (`network_id`,`revision`);--> statement-breakpoint
CREATE INDEX `attachments_site_revision` ON `attachments` (`site_id`,`revision`);--> statement-breakpoint
CREATE INDEX `attachments_gone` ON `attachments` (`gone_at`) WHERE gone_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `guards` (
	`failed` text,
	CONSTRAINT "not_found" CHECK(failed <> 'not_found'),
	CONSTRAINT "quota_exceeded" CHECK(failed <> 'quota_exceeded'),
	CONSTRAINT "vni_not_free" CHECK(failed <> 'vni_not_free'),
	CONSTRAINT "tenant_not_empty" CHECK(failed <> 'tenant_not_empty'),
	CONSTRAINT "join_token_invalid" CHECK(failed <> 'join_token_invalid'),
	CONSTRAINT "join_token_used_up" CHECK(failed <> 'join_token_used_up')
);
--> statement-breakpoint
CREATE TABLE `join_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text,
	`hash` text NOT NULL,
	`max_uses` integer NOT NULL,
	`uses` integer DEFAULT 0 NOT NULL,
	`expires_at` integer NOT NULL,
	`networks` text NOT NULL,
	`labels` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `join_tokens_tenant` ON `join_tokens` (`tenant_id`,`id`);--> statement-breakpoint
CREATE TABLE `networks` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`vni` integer NOT NULL,
	`mtu` integer NOT NULL,
	`subnet` text,
	`description` text,
	`anti_spoof` text NOT NULL,
	`arp_suppression` integer NOT NULL,
	`flood` text NOT NULL,
	`multicast_group` text,
	`header_revision` integer NOT NULL,
	`revision` integer NOT NULL,
	`digest` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `networks_name` ON `networks` (`tenant_id`,`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `networks_vni` ON `networks` (`vni`);--> statement-breakpoint
CREATE INDEX `networks_revision` ON `networks` (`tenant_id`,`revision`);--> statement-breakpoint
CREATE TABLE `site_status` (
	`site_id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`last_seen` integer NOT NULL,
	`cursor` text,
	`version` text NOT NULL,
	`report` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sites` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`kind` text NOT NULL,
	`public_key` text,
	`vtep_address` text NOT NULL,
	`vtep_port` integer NOT NULL,
	`hash` integer NOT NULL,
	`disabled` integer DEFAULT false NOT NULL,
	`labels` text NOT NULL,
	`place` text,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sites_public_key` ON `sites` (`public_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `sites_name` ON `sites` (`tenant_id`,`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `sites_vtep` ON `sites` (`tenant_id`,`vtep_address`,`vtep_port`);--> statement-breakpoint
CREATE TABLE `tenants` (
	`id` text PRIMARY KEY NOT NULL,
	`slug` text NOT NULL,
	`name` text NOT NULL,
	`limit_networks` integer NOT NULL,
	`limit_sites` integer NOT NULL,
	`limit_macs_per_network` integer NOT NULL,
	`network_count` integer DEFAULT 0 NOT NULL,
	`site_count` integer DEFAULT 0 NOT NULL,
	`epoch` text NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`purged_revision` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tenants_slug` ON `tenants` (`slug`);--> statement-breakpoint
CREATE TABLE `vni_free` (
	`first` integer PRIMARY KEY NOT NULL,
	`last` integer NOT NULL,
	`pool_id` text NOT NULL,
	FOREIGN KEY (`pool_id`) REFERENCES `vni_pools`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `vni_free_pool` ON `vni_free` (`pool_id`,`first`);--> statement-breakpoint
CREATE TABLE `vni_pools` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`first` integer NOT NULL,
	`last` integer NOT NULL,
	`tenant_id` text,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `vni_pools_name` ON `vni_pools` (`name`);--> statement-breakpoint
CREATE INDEX `vni_pools_tenant` ON `vni_pools` (`tenant_id`);--> statement-breakpoint
CREATE TABLE `vni_quarantine` (
	`vni` integer PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`released_at` integer NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `vni_quarantine_until` ON `vni_quarantine` (`until`);