import { useState } from 'preact/hooks';
import { useTenant } from '../api/tenant.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { AddSiteForm, type MadeToken } from './add-site-form.tsx';
import { Joining } from './joining.tsx';

export function AddSitePage() {
  const tenant = useTenant();
  const [made, setMade] = useState<MadeToken | null>(null);
  return (
    <Page
      title="Add a site"
      up={{ to: tenant.page('sites'), title: 'Sites' }}
      says="A host with an agent becomes a site by one command, which has a token that works once."
    >
      <div class="narrow">
        {!tenant.mayWrite ? (
          <Empty icon="key" title="A viewer only looks">
            Adding a site takes an admin’s key. Ask whoever gave you yours.
          </Empty>
        ) : made === null ? (
          <Panel title="What it carries">
            <AddSiteForm onMade={setMade} />
          </Panel>
        ) : (
          <Joining made={made} onAnother={() => setMade(null)} />
        )}
      </div>
    </Page>
  );
}
