ALTER TABLE `site_status` ADD `standing` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
UPDATE `site_status` SET `standing` = (SELECT json_group_array(json_array(r.value ->> 'vni', r.value ->> 'revision', r.value ->> 'digest',
	r.value ->> 'error', r.value ->> 'heldRemovals')) FROM json_each(`report`) r);
