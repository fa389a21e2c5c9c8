import { Link } from "@tanstack/react-router";

import { useModels } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { longDay } from "~/ui/format";
import { Icon } from "~/ui/icons";
import { Loaded } from "~/ui/Loading";
import { Section } from "~/ui/Page";

/** Models that a setting names and that end soon. */
export function DyingModels() {
  const models = useModels(useWorkspaceId());
  return (
    <Section title="Models that end" note="Those that a setting here names, 60 days ahead." actions={<Link to="/models">All models</Link>}>
      <Loaded query={models}>
        {({ warnings, inUse }) =>
          warnings.length === 0 ? (
            <ul className="lines">
              <li>
                <span className="ok">
                  <Icon name="check" />
                </span>
                <span className="line-what">
                  None of the models in use ends soon. <span className="help">{[...new Set(inUse.map((one) => one.model))].join(", ")}</span>
                </span>
              </li>
            </ul>
          ) : (
            <ul className="lines">
              {warnings.map((one) => (
                <li key={`${one.setting} ${one.model}`}>
                  <span className={one.daysLeft < 0 ? "bad" : "warn"}>
                    <Icon name="alert" />
                  </span>
                  <span className="line-what">
                    <Link to={`/models/${encodeURIComponent(one.model)}`}>{one.model}</Link>
                    <span className="help">{one.message}</span>
                  </span>
                  <span className="number">{longDay(one.shutdownDate)}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
