/** In place of react-remove-scroll, which Radix uses under open dialogs: a class on the root instead of a <style>. */
import { Slot } from "radix-ui";
import { type ComponentProps, useEffect } from "react";

interface Props extends ComponentProps<"div"> {
  as?: unknown;
  enabled?: boolean;
  allowPinchZoom?: boolean;
  shards?: unknown;
  removeScrollBar?: boolean;
}

let locks = 0;

export function RemoveScroll({ as, enabled = true, allowPinchZoom: _zoom, shards: _shards, removeScrollBar: _bar, ...rest }: Props) {
  useEffect(() => {
    if (!enabled) return;
    locks += 1;
    document.documentElement.classList.add("is-locked");
    return () => {
      locks -= 1;
      if (locks === 0) document.documentElement.classList.remove("is-locked");
    };
  }, [enabled]);
  return as === undefined ? <div {...rest} /> : <Slot.Root {...rest} />;
}
