import { Transform } from 'class-transformer';

/** What `.env.example` says of one variable. */
export interface VariableNote {
  name: string;
  meaning: string;
  /** Heading under which it stands. */
  group: string;
}

const notes: VariableNote[] = [];

/** Marks a property of the configuration as an environment variable and says what it means; `.env.example` is made of it. */
export function Variable(group: string, meaning: string): PropertyDecorator {
  return (_target, name) => {
    notes.push({ name: String(name), meaning, group });
  };
}

/** Every variable in the order of the class. */
export const variableNotes = (): readonly VariableNote[] => notes;

/** Reads a whole number; text that is not one stays text, so that validation names it. */
export const AsInteger = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^-?\d+$/.test(value.trim()) ? Number(value) : value,
  );

/** Reads `true` or `false`, and nothing else. */
export const AsBoolean = () =>
  Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));

/** Reads a comma-separated list; blanks are dropped. */
export const AsList = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((item) => item.trim())
          .filter(Boolean)
      : value,
  );
