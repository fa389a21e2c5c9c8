import { SelectField, TextField } from "~/ui/Field";

import type { Settings } from "./api";
import { SettingsForm } from "./SettingsForm";

type Keep = "days" | "always" | "never";

const CHOICES = [
  { value: "days", label: "For some days" },
  { value: "always", label: "Until somebody deletes them" },
  { value: "never", label: "Do not store them" },
];

const keepOf = (days: number | null): Keep => (days === null ? "always" : days === 0 ? "never" : "days");

export function KeepingForm({ settings }: { settings: Settings }) {
  const kept = settings.transcriptRetentionDays;
  return (
    <SettingsForm
      title="Transcripts"
      note="What was said in voice sessions and chats. Usage and cost are kept in any case."
      truth={{ keep: keepOf(kept), days: String(kept !== null && kept > 0 ? kept : 30) }}
      update={({ keep, days }) => ({ transcriptRetentionDays: keep === "always" ? null : keep === "never" ? 0 : Number(days) })}
    >
      {({ values, write, errorOf }) => (
        <>
          <SelectField label="Keep them" value={values.keep} options={CHOICES} onChange={(event) => write({ keep: event.target.value as Keep })} />
          {values.keep === "days" && (
            <TextField
              label="Days"
              type="number"
              min={1}
              max={3650}
              value={values.days}
              help="What is older is deleted for good within a day."
              onChange={(event) => write({ days: event.target.value })}
              error={errorOf("transcriptRetentionDays")}
            />
          )}
        </>
      )}
    </SettingsForm>
  );
}
