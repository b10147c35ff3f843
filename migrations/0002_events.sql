CREATE TABLE `events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`tenant_id` text NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`revision` integer NOT NULL,
	`actor` text NOT NULL,
	`address` text,
	`request_id` text,
	`subject` text NOT NULL,
	`before` text,
	`after` text
);
--> statement-breakpoint
CREATE INDEX `events_tenant_at` ON `events` (`tenant_id`,`at`);