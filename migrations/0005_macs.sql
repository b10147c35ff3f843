CREATE TABLE `macs` (
	`tenant_id` text NOT NULL,
	`network_id` text NOT NULL,
	`mac` text NOT NULL,
	`ip` text,
	`site_id` text NOT NULL,
	`sticky` integer NOT NULL,
	`state` text NOT NULL,
	`revision` integer NOT NULL,
	`added_revision` integer NOT NULL,
	`gone_at` integer,
	`hash` integer NOT NULL,
	`moves` integer DEFAULT 0 NOT NULL,
	`moves_since` integer DEFAULT 0 NOT NULL,
	`frozen_until` integer,
	PRIMARY KEY(`network_id`, `mac`)
);
--> statement-breakpoint
CREATE INDEX `macs_network_revision` ON `macs` (`network_id`,`revision`);--> statement-breakpoint
CREATE INDEX `macs_sticky` ON `macs` (`site_id`,`network_id`) WHERE sticky = 1;--> statement-breakpoint
CREATE INDEX `macs_gone` ON `macs` (`gone_at`) WHERE gone_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `attachments` ADD `intended` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `networks` ADD `mac_count` integer DEFAULT 0 NOT NULL;