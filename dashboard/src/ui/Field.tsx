import { type ComponentProps, type ReactNode, useId } from "react";

interface Shared {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
}

type Wiring = { id: string; "aria-describedby": string | undefined; "aria-invalid": true | undefined };

function Field({ label, help, error, children }: Shared & { children: (wiring: Wiring) => ReactNode }) {
  const id = useId();
  const described = [error ? `${id}-error` : "", help ? `${id}-help` : ""].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined })}
      {error && (
        <p className="error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {help && (
        <p className="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, help, error, ...input }: Shared & ComponentProps<"input">) {
  return (
    <Field label={label} help={help} error={error}>
      {(wiring) => <input {...input} {...wiring} />}
    </Field>
  );
}

export function TextArea({ label, help, error, ...area }: Shared & ComponentProps<"textarea">) {
  return (
    <Field label={label} help={help} error={error}>
      {(wiring) => <textarea rows={6} {...area} {...wiring} />}
    </Field>
  );
}

export interface Option {
  value: string;
  label: string;
}

export function SelectField({ label, help, error, options, ...select }: Shared & ComponentProps<"select"> & { options: readonly Option[] }) {
  return (
    <Field label={label} help={help} error={error}>
      {(wiring) => (
        <select {...select} {...wiring}>
          {options.map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField({ label, help, ...input }: Omit<Shared, "error"> & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className="check">
      <input {...input} type="checkbox" id={id} aria-describedby={help ? `${id}-help` : undefined} />
      <label htmlFor={id}>{label}</label>
      {help && (
        <p className="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}
