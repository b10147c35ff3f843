import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';
import { Form } from './form.tsx';
import { TextField } from './inputs.tsx';

interface Props {
  readonly title: string;
  /** What will happen, in words. */
  readonly children: ComponentChildren;
  readonly act: string;
  /** For what can't be taken back and hits many: its name has to be typed. */
  readonly typed?: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks before what takes something away. It closes when that was done, and stays with the gateway's words when it was not. */
export function Confirm({ title, children, act, typed, onConfirm, onClose }: Props) {
  const [name, setName] = useState('');
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        content={null}
        submit={act}
        tone="danger"
        canSubmit={typed === undefined || name === typed}
        onCancel={onClose}
        onSubmit={async () => {
          await onConfirm();
          onClose();
        }}
      >
        <div class="consequence">{children}</div>
        {typed !== undefined && (
          <TextField label={`Type ${typed} to go on`} value={name} onValue={setName} isMono autoFocus />
        )}
      </Form>
    </Dialog>
  );
}
