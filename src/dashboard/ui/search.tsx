import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icons.tsx';

/** A search whose words are told once typing rests. `/` goes to it. */
const REST_MS = 200;

export function Search({
  value,
  onValue,
  label,
}: {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly label: string;
}) {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  if (value !== told.current) {
    told.current = value;
    if (typed !== value) setTyped(value);
  }
  useEffect(() => {
    if (typed === told.current) return undefined;
    const timer = setTimeout(() => {
      told.current = typed;
      onValue(typed);
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [typed, onValue]);
  return (
    <div class="search">
      <Icon name="search" />
      <input
        type="search"
        class="input"
        aria-label={label}
        placeholder={label}
        value={typed}
        data-search
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <span class="key" aria-hidden="true">
        /
      </span>
    </div>
  );
}
