import { CheckField, TextArea } from "~/ui/Field";

import type { Settings } from "./api";
import { SettingsForm } from "./SettingsForm";

export function ProjectsForm({ settings }: { settings: Settings }) {
  return (
    <SettingsForm
      title="OpenAI projects"
      note="Which part of OpenAI's bill belongs to this workspace, when an admin key reads it."
      truth={{ ids: settings.openaiProjectIds.join("\n"), isWhole: settings.ownsOpenaiOrganization }}
      update={({ ids, isWhole }) => ({ openaiProjectIds: ids.split(/[\s,]+/).filter(Boolean), ownsOpenaiOrganization: isWhole })}
    >
      {({ values, write, errorOf }) => (
        <>
          <CheckField label="The whole organization is ours" checked={values.isWhole} onChange={(event) => write({ isWhole: event.target.checked })} />
          <TextArea
            label="Project ids"
            rows={3}
            value={values.ids}
            placeholder="proj_…"
            help="One a line, as OpenAI shows them under Settings, Projects."
            onChange={(event) => write({ ids: event.target.value })}
            error={errorOf("openaiProjectIds") ?? errorOf("openaiProjectIds.0")}
          />
        </>
      )}
    </SettingsForm>
  );
}
