/** Forms: what was typed stays until it was taken, and what the gateway says against it stands beside the field that it is about. */
import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext, useId, useRef, useState } from 'preact/hooks';
import { faultsOf } from '../api/call.ts';
import { Icon } from './icons.tsx';

interface FormState {
  readonly faults: ReadonlyMap<string, string>;
}
const FormContext = createContext<FormState>({ faults: new Map() });

interface FormProps {
  /** Sends it. `idempotencyKey` is the same when the same is sent again, so that nothing is made twice. */
  readonly onSubmit: (idempotencyKey: string) => Promise<void>;
  readonly submit: string;
  readonly tone?: 'primary' | 'danger';
  readonly canSubmit?: boolean;
  readonly onCancel?: () => void;
  /** Changes with what is typed: another body is another request. */
  readonly content: unknown;
  readonly children: ComponentChildren;
}

export function Form({ onSubmit, submit, tone = 'primary', canSubmit = true, onCancel, content, children }: FormProps) {
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const attempt = useRef({ content: '', key: '' });
  const form = useRef<HTMLFormElement>(null);
  const faults = faultsOf(error);

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    if (isBusy || !canSubmit) return;
    const text = JSON.stringify(content);
    if (attempt.current.content !== text || attempt.current.key === '') {
      attempt.current = { content: text, key: crypto.randomUUID() };
    }
    setBusy(true);
    setError(null);
    try {
      await onSubmit(attempt.current.key);
    } catch (failed) {
      setError(failed as Error);
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
    } finally {
      setBusy(false);
    }
  }

  return (
    <FormContext.Provider value={{ faults }}>
      <form ref={form} class="form" onSubmit={(event) => void send(event)} noValidate>
        {children}
        {error && (
          <p class="form-error" role="alert">
            <Icon name="alert" />
            <span>
              {faults.size > 0 && !faults.has('')
                ? 'Some fields are not right yet. Nothing was changed.'
                : error.message}
            </span>
          </p>
        )}
        <footer class="form-foot">
          {onCancel && (
            <button type="button" class="button" onClick={onCancel}>
              Cancel
            </button>
          )}
          <button type="submit" class={`button ${tone}`} disabled={!canSubmit} aria-busy={isBusy}>
            {isBusy ? 'Working…' : submit}
          </button>
        </footer>
      </form>
    </FormContext.Provider>
  );
}

interface FieldProps {
  readonly label: string;
  /** The path of the field in the request's body; faults of what is within it are shown too. */
  readonly path?: string;
  readonly hint?: ComponentChildren;
  readonly children: (attributes: FieldAttributes) => ComponentChildren;
}

export interface FieldAttributes {
  readonly id: string;
  readonly 'aria-invalid': boolean;
  readonly 'aria-describedby': string | undefined;
}

export function Field({ label, path, hint, children }: FieldProps) {
  const id = useId();
  const { faults } = useContext(FormContext);
  const fault = path === undefined ? undefined : faultAt(faults, path);
  const describedBy = [fault ? `${id}-fault` : '', hint ? `${id}-hint` : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div class={fault ? 'field faulty' : 'field'}>
      <label for={id}>{label}</label>
      {children({ id, 'aria-invalid': fault !== undefined, 'aria-describedby': describedBy })}
      {fault && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

function faultAt(faults: ReadonlyMap<string, string>, path: string): string | undefined {
  for (const [at, message] of faults) {
    if (at === path || at.startsWith(`${path}.`) || at.startsWith(`${path}[`)) return message;
  }
  return undefined;
}
