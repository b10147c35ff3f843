interface Props<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly onValue: (value: Value) => void;
  readonly options: readonly (readonly [value: Value, words: string, count?: string])[];
}

/** One of a few, all of them in sight. */
export function Segments<Value extends string>({ label, value, onValue, options }: Props<Value>) {
  return (
    <fieldset class="segments">
      <legend class="unseen">{label}</legend>
      {options.map(([option, words, count]) => (
        <button key={option} type="button" aria-pressed={value === option} onClick={() => onValue(option)}>
          {words}
          {count !== undefined && <small> {count}</small>}
        </button>
      ))}
    </fieldset>
  );
}
