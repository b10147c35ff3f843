CREATE TABLE `members` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`email` text,
	`subject` text,
	`role` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `members_tenant` ON `members` (`tenant_id`,`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `members_email` ON `members` (`email`,`tenant_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `members_subject` ON `members` (`subject`,`tenant_id`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`hash` text NOT NULL,
	`tenant_id` text,
	`key_id` text,
	`member_id` text,
	`email` text,
	`subject` text,
	`address` text,
	`created_at` integer NOT NULL,
	`used_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`ends_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `sessions_tenant` ON `sessions` (`tenant_id`,`id`);--> statement-breakpoint
CREATE TABLE `site_history` (
	`tenant_id` text NOT NULL,
	`hour` integer NOT NULL,
	`site_id` text NOT NULL,
	`samples` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `hour`, `site_id`)
);
--> statement-breakpoint
ALTER TABLE `site_status` ADD `behind_since` integer;--> statement-breakpoint
ALTER TABLE `site_status` ADD `sampled_at` integer;--> statement-breakpoint
ALTER TABLE `site_status` ADD `samples` text DEFAULT '[]' NOT NULL;