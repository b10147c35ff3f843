-- The pool that every tenant may take from. Below 4096 a VNI is easily taken for a VLAN id, so those are for a tenant's own pools.
INSERT INTO vni_pools (id, name, first, last) VALUES ('shared', 'shared', 4096, 16777215);
--> statement-breakpoint
INSERT INTO vni_free (first, last, pool_id) VALUES (4096, 16777215, 'shared');
