import { useEffect } from "react";

import type { Talk } from "./talk";

const isTyping = (target: EventTarget | null) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
const isPressable = (target: EventTarget | null) => target instanceof HTMLElement && /^(BUTTON|A|SUMMARY)$/.test(target.tagName);

/** Space to hold, M mutes, Esc stops the answer, / writes, Ctrl+. hangs up. */
export function useKeys(talk: Talk): void {
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector('[role="dialog"], [role="menu"]')) return;
      if (event.key === "." && (event.ctrlKey || event.metaKey)) void talk.hangUp();
      else if (event.ctrlKey || event.metaKey || event.altKey) return;
      else if (event.key === "Escape") talk.session?.interrupt();
      else if (isTyping(event.target)) return;
      else if (event.key === " " && talk.choices.isPushToTalk && talk.isOpen) {
        if (!event.repeat) talk.session?.hold(true);
      } else if (event.key === " " && isPressable(event.target)) return;
      else if (event.key.toLowerCase() === "m") talk.toggleMute();
      else if (event.key === "/") document.getElementById("talk-text")?.focus();
      else return;
      event.preventDefault();
    };
    const up = (event: KeyboardEvent) => {
      if (event.key === " ") talk.session?.hold(false);
    };
    const away = () => talk.session?.hold(false);
    document.addEventListener("keydown", down);
    document.addEventListener("keyup", up);
    window.addEventListener("blur", away);
    return () => {
      away();
      document.removeEventListener("keydown", down);
      document.removeEventListener("keyup", up);
      window.removeEventListener("blur", away);
    };
  }, [talk]);
}
