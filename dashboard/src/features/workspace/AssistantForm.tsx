import { SelectField, TextArea, TextField } from "~/ui/Field";

import type { Settings } from "./api";
import { SettingsForm } from "./SettingsForm";

const VOICES = ["alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse"];

export function AssistantForm({ settings }: { settings: Settings }) {
  const { assistantName, instructions, language, voice, timeZone } = settings;
  const voices = [...new Set([voice, ...VOICES])].filter(Boolean);
  return (
    <SettingsForm
      title="Assistant"
      note="Holds for voice, chat and incidents from the next conversation on."
      truth={{ assistantName, instructions, language, voice, timeZone }}
      update={(said) => ({ ...said, assistantName: said.assistantName.trim(), language: said.language.trim(), timeZone: said.timeZone.trim() })}
    >
      {({ values, write, errorOf }) => (
        <>
          <TextField label="Name" value={values.assistantName} onChange={(event) => write({ assistantName: event.target.value })} error={errorOf("assistantName")} />
          <TextArea
            label="Instructions"
            value={values.instructions}
            rows={7}
            help="What it should know and how it should speak, in your words. It reads this before every conversation."
            onChange={(event) => write({ instructions: event.target.value })}
            error={errorOf("instructions")}
          />
          <div className="form-two">
            <TextField label="Language" value={values.language} help="A tag such as en or de-AT." onChange={(event) => write({ language: event.target.value })} error={errorOf("language")} />
            <SelectField
              label="Voice"
              value={values.voice}
              options={voices.map((one) => ({ value: one, label: one }))}
              onChange={(event) => write({ voice: event.target.value })}
              error={errorOf("voice")}
            />
          </div>
          <TextField
            label="Time zone"
            value={values.timeZone}
            help="Decides what today and last week mean to the assistant, such as Europe/Vienna."
            onChange={(event) => write({ timeZone: event.target.value })}
            error={errorOf("timeZone")}
          />
        </>
      )}
    </SettingsForm>
  );
}
