/** One tenant: its registry, the agents of its sites, and the model that both are held to. */
import type { Database } from '../../../src/db/database.ts';
import { Agents } from './agents.ts';
import { Model } from './model.ts';
import { Registry } from './registry.ts';

export class World {
  readonly db: Database;
  readonly model = new Model();
  readonly registry: Registry;
  readonly agents: Agents;

  constructor(db: Database, tenantId: string) {
    this.db = db;
    this.registry = new Registry(db, tenantId, this.model);
    this.agents = new Agents(db, tenantId, this.model);
  }
}
