/** Thirty agents under random change, each pulling when it pleases: whatever the order, all end where the registry is. */
import { afterAll, beforeAll, test } from 'vitest';
import { assertInStepWithRegistry, assertSymmetricVisibility } from './asserts.ts';
import { Mesh, type MeshAgent, pullAll, type Tenant } from './mesh.ts';

const AGENTS = 30;
const STEPS = 200;

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.start();
});
afterAll(() => mesh.stop());

/** What a step does; `pick` draws from a list. */
type Pick = <T>(from: readonly T[]) => T;

class Churn {
  agents: MeshAgent[];
  networks = ['a', 'b', 'c', 'd'];
  readonly #tenant: Tenant;
  readonly #pick: Pick;
  readonly #disabled = new Set<string>();
  readonly #attached = new Set<string>();
  #made = 0;

  constructor(tenant: Tenant, agents: MeshAgent[], pick: Pick) {
    this.#tenant = tenant;
    this.agents = agents;
    this.#pick = pick;
  }

  async step(): Promise<void> {
    const agent = this.#pick(this.agents);
    const network = this.#pick(this.networks);
    const key = `${agent.site} ${network}`;
    switch (
      this.#pick([
        'attach',
        'attach',
        'attach',
        'detach',
        'port',
        'able',
        'move',
        'mtu',
        'network',
        'leave',
        'pull',
        'pull',
        'restart',
      ])
    ) {
      case 'attach':
        await this.#tenant.attach(agent, network);
        this.#attached.add(key);
        break;
      case 'detach':
        if (this.#attached.delete(key)) await this.#tenant.detach(agent, network);
        break;
      case 'port':
        if (this.#attached.has(key))
          await this.#tenant.attach(agent, network, { type: 'bridge', name: this.#pick(['br0', 'br1']) });
        break;
      case 'able': {
        const disable = !this.#disabled.delete(agent.site);
        if (disable) this.#disabled.add(agent.site);
        await this.#tenant.disable(agent, disable);
        break;
      }
      case 'move':
        await this.#tenant.move(agent, `10.50.${this.#made >> 8}.${this.#made++ & 255}`);
        break;
      case 'mtu':
        await this.#tenant.patchNetwork(network, { mtu: this.#pick([1300, 1400, 1450]) });
        break;
      case 'network': {
        for (const attached of this.#attached) {
          const [site, name] = attached.split(' ') as [string, string];
          if (name !== network) continue;
          this.#attached.delete(attached);
          const member = this.agents.find((candidate) => candidate.site === site);
          if (member !== undefined) await this.#tenant.detach(member, network);
        }
        await this.#tenant.deleteNetwork(network);
        this.networks = this.networks.filter((name) => name !== network);
        const next = `${network[0]}${++this.#made}`;
        await this.#tenant.network(next);
        this.networks.push(next);
        break;
      }
      case 'leave':
        if (this.agents.length <= AGENTS - 5) break;
        await this.#tenant.deleteSite(agent);
        this.agents = this.agents.filter((other) => other !== agent);
        break;
      case 'pull':
        await pullAll(this.agents.filter(() => this.#pick([true, false])));
        break;
      case 'restart':
        this.agents = await Promise.all(this.agents.map((other) => (other === agent ? agent.restart() : other)));
        break;
    }
  }
}

test.each([1, 2])('thirty agents under random change end where the registry is (seed %i)', async (seed) => {
  const tenant = await mesh.tenant(`churn-${seed}`);
  let state = seed;
  const pick: Pick = (from) => {
    // Park and Miller's: plain, and the same on every machine.
    state = (state * 48_271) % 2_147_483_647;
    return from[state % from.length]!;
  };
  const churn = new Churn(tenant, [], pick);
  for (const network of churn.networks) await tenant.network(network);
  churn.agents = await tenant.join(AGENTS);
  for (let i = 0; i < STEPS; i++) await churn.step();
  await pullAll(churn.agents);
  assertSymmetricVisibility(churn.agents);
  await assertInStepWithRegistry(tenant, churn.agents);
});
