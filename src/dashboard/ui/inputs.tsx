import type { JSX } from 'preact';
import type { FieldAttributes } from './form.tsx';
import { Field } from './form.tsx';

interface Common {
  readonly label: string;
  readonly path?: string;
  readonly hint?: JSX.Element | string;
}

interface TextProps extends Common {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly placeholder?: string;
  readonly isMono?: boolean;
  readonly inputMode?: 'text' | 'numeric';
  readonly isSecret?: boolean;
  readonly autoFocus?: boolean;
  readonly autoComplete?: string;
}

export function TextField(props: TextProps) {
  const {
    value,
    onValue,
    isMono = false,
    isSecret = false,
    label,
    path,
    hint,
    autoFocus,
    autoComplete = 'off',
  } = props;
  const attributesOfAll = {
    ref: autoFocus ? focusFirst : null,
    ...(autoFocus ? { 'data-first': '' } : {}),
    class: isMono ? 'input mono' : 'input',
    value,
    spellcheck: false,
    autoComplete,
    placeholder: props.placeholder ?? '',
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => onValue(event.currentTarget.value),
  };
  return (
    <Field label={label} {...named(path, hint)}>
      {(attributes) =>
        isSecret ? (
          <input {...attributes} {...attributesOfAll} type="password" />
        ) : (
          <input {...attributes} {...attributesOfAll} inputMode={props.inputMode ?? 'text'} />
        )
      }
    </Field>
  );
}

interface SelectProps<Value extends string> extends Common {
  readonly value: Value;
  readonly onValue: (value: Value) => void;
  readonly options: readonly (readonly [value: Value, label: string])[];
}

export function SelectField<Value extends string>({ value, onValue, options, label, path, hint }: SelectProps<Value>) {
  return (
    <Field label={label} {...named(path, hint)}>
      {(attributes: FieldAttributes) => (
        <select
          {...attributes}
          class="input"
          value={value}
          onChange={(event) => onValue(event.currentTarget.value as Value)}
        >
          {options.map(([option, words]) => (
            <option key={option} value={option}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField({
  label,
  hint,
  checked,
  onChecked,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly checked: boolean;
  readonly onChecked: (checked: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChecked(event.currentTarget.checked)} />
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  );
}

/** Outside a dialog, which gives its first field the focus by itself. */
function focusFirst(element: HTMLInputElement | null): void {
  if (element !== null) requestAnimationFrame(() => element.focus());
}

function named(path: string | undefined, hint: JSX.Element | string | undefined) {
  return { ...(path === undefined ? {} : { path }), ...(hint === undefined ? {} : { hint }) };
}
