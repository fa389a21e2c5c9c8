import { Link, useNavigate } from "@tanstack/react-router";

import { atLeast } from "~/api/session";
import { useHere } from "~/api/workspace";
import { Icon, Mark } from "~/ui/icons";
import { Menu, MenuItem } from "~/ui/Menu";

import { PAGES } from "./pages";

/** The pages that the person may see. */
export function usePagesHere() {
  const { workspace } = useHere();
  return PAGES.filter((page) => atLeast(workspace.role, page.role));
}

const exact = { exact: true };

export function Rail() {
  return (
    <nav className="rail" aria-label="Pages">
     <div className="rail-inner">
      <Link to="/" className="rail-brand" aria-label="OpenCTO">
        <Mark />
        <span>OpenCTO</span>
      </Link>
      {usePagesHere().map((page) => (
        <Link key={page.path} to={page.path} className="rail-link" title={page.name} {...(page.path === "/" ? { activeOptions: exact } : {})}>
          <Icon name={page.icon} />
          <span>{page.name}</span>
        </Link>
      ))}
     </div>
    </nav>
  );
}

export function BottomBar() {
  const pages = usePagesHere();
  const navigate = useNavigate();
  return (
    <nav className="bottom-bar" aria-label="Pages">
      {pages
        .filter((page) => page.inBar)
        .map((page) => (
          <Link key={page.path} to={page.path} className="bar-link" {...(page.path === "/" ? { activeOptions: exact } : {})}>
            <Icon name={page.icon} />
            <span>{page.short}</span>
          </Link>
        ))}
      <Menu
        trigger={
          <button type="button" className="bar-link">
            <Icon name="more" />
            <span>More</span>
          </button>
        }
      >
        {pages
          .filter((page) => !page.inBar)
          .map((page) => (
            <MenuItem key={page.path} icon={page.icon} onSelect={() => void navigate({ to: page.path })}>
              {page.name}
            </MenuItem>
          ))}
      </Menu>
    </nav>
  );
}
