ALTER TABLE `site_status` ADD `online_until` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tenants` ADD `told_revision` integer DEFAULT 0 NOT NULL;