import { Link } from "@tanstack/react-router";

import { useModels } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { CheckField } from "~/ui/Field";
import { longDay } from "~/ui/format";
import { Loaded } from "~/ui/Loading";

import type { Settings } from "./api";
import { SettingsForm } from "./SettingsForm";

export function ModelsForm({ settings }: { settings: Settings }) {
  const allowed: { voice: readonly string[]; chat: readonly string[] } = { voice: settings.realtimeModels, chat: settings.chatModels };
  return (
    <SettingsForm
      title="Models allowed"
      note="With none ticked, the server's default alone is allowed."
      truth={allowed}
      update={({ voice, chat }) => ({ realtimeModels: [...voice], chatModels: [...chat] })}
    >
      {({ values, write }) => (
        <>
          <Choice legend="For voice" capability="realtime" chosen={values.voice} onChange={(voice) => write({ voice })} />
          <Choice legend="For text" capability="chat" chosen={values.chat} onChange={(chat) => write({ chat })} />
        </>
      )}
    </SettingsForm>
  );
}

interface ChoiceProps {
  legend: string;
  capability: "realtime" | "chat";
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}

function Choice({ legend, capability, chosen, onChange }: ChoiceProps) {
  const models = useModels(useWorkspaceId());
  const toggle = (id: string) => onChange(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  return (
    <fieldset>
      <legend>{legend}</legend>
      <Loaded query={models}>
        {({ data }) => {
          const offered = data.filter((model) => model.capabilities.some((one) => one === capability));
          const gone = chosen.filter((id) => !offered.some((model) => model.id === id));
          if (offered.length + gone.length === 0)
            return (
              <p className="soft">
                The key here reaches no model for this. <Link to="/keys">Use another key</Link>, or allow some in its project at OpenAI.
              </p>
            );
          return (
            <div className="choices">
              {offered.map((model) => (
                <CheckField
                  key={model.id}
                  label={model.id}
                  checked={chosen.includes(model.id)}
                  onChange={() => toggle(model.id)}
                  help={model.shutdownDate && `until ${longDay(model.shutdownDate)}`}
                />
              ))}
              {gone.map((id) => (
                <CheckField key={id} label={id} checked onChange={() => toggle(id)} help="the key does not reach it" />
              ))}
            </div>
          );
        }}
      </Loaded>
    </fieldset>
  );
}
