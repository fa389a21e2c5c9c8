import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { useMay, useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { ProblemNotice } from "~/ui/Notice";
import { Section } from "~/ui/Page";
import { useSay } from "~/ui/Said";
import { useDraft } from "~/ui/useDraft";
import { useSubmit } from "~/ui/useSubmit";

import { changeSettings, type Settings, type SettingsUpdate, settingsKey } from "./api";

interface Fields<Values> {
  values: Values;
  write: (changed: Partial<Values>) => void;
  errorOf: (path: string) => string | undefined;
}

interface Props<Values> {
  title: string;
  note?: string;
  /** What the fields say as long as nobody types. */
  truth: Values;
  /** What to send, of what the fields say. */
  update: (values: Values) => SettingsUpdate;
  children: (fields: Fields<Values>) => ReactNode;
}

/** One part of the settings, saved on its own, with an undo. Who may not change it sees it. */
export function SettingsForm<Values extends object>({ title, note, truth, update, children }: Props<Values>) {
  const ws = useWorkspaceId();
  const mayWrite = useMay("admin");
  const say = useSay();
  const queries = useQueryClient();
  const { values, write, settle, forget } = useDraft(truth);
  const stales = [settingsKey(ws), ["models", ws], ["usage", ws]];
  const keep = (settings: Settings) => queries.setQueryData(settingsKey(ws), settings);
  const undo = useSubmit({
    send: (before: SettingsUpdate) => changeSettings(ws, before),
    stales,
    onDone: (settings) => {
      keep(settings);
      forget();
      say(`${title}: as before.`);
    },
  });
  // What to go back to is taken along when it is sent: the page learns the new settings before anybody presses Undo.
  const saving = useSubmit({
    send: ({ sent }: { sent: Values; before: SettingsUpdate }) => changeSettings(ws, update(sent)),
    stales,
    onDone: (settings, { sent, before }) => {
      keep(settings);
      settle(sent);
      undo.reset();
      say(`${title}: saved.`, () => undo.submit(before));
    },
  });
  const problem = saving.problem ?? undo.problem;
  return (
    <Section title={title} note={note}>
      <form
        aria-label={title}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!saving.busy) saving.submit({ sent: values, before: update(truth) });
        }}
      >
        {problem && <ProblemNotice failure={problem} />}
        <fieldset disabled={!mayWrite} className="stack">
          <legend className="sr">{title}</legend>
          {children({ values, write, errorOf: saving.errorOf })}
        </fieldset>
        {mayWrite && (
          <Button type="submit" tone="primary" busy={saving.busy}>
            Save
          </Button>
        )}
      </form>
    </Section>
  );
}
