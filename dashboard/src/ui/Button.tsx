import type { ComponentProps } from "react";

import { Icon, type IconName } from "./icons";

interface Props extends ComponentProps<"button"> {
  tone?: "plain" | "primary" | "danger" | "quiet";
  small?: boolean;
  icon?: IconName;
  /** While what it began goes on: it says so and takes no second press, but keeps the focus. */
  busy?: boolean;
}

export function Button({ tone = "plain", small, icon, busy = false, className, onClick, children, ...rest }: Props) {
  const names = ["button", tone, small ? "small" : "", className ?? ""].filter(Boolean).join(" ");
  return (
    <button
      type="button"
      {...rest}
      className={names}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  );
}

/** A button that is an icon alone; its name is for ears and for the tooltip. */
export function IconButton({ label, icon, ...rest }: ComponentProps<"button"> & { label: string; icon: IconName }) {
  return (
    <button type="button" title={label} aria-label={label} {...rest} className="button quiet icon-only">
      <Icon name={icon} />
    </button>
  );
}
