import { Dialog } from "radix-ui";
import { type ReactNode, useState } from "react";

import { IconButton } from "./Button";
import { SaidHere } from "./Said";

interface Props {
  title: string;
  note?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}

function Surface({ kind, title, note, onClose, children }: Props & { kind: "sheet" | "dialog" }) {
  const [before] = useState(() => document.activeElement);
  const giveFocusBack = (event: Event) => {
    event.preventDefault(); // Radix would look for the button of its own that opened it, and there is none
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className={kind} onCloseAutoFocus={giveFocusBack} {...(note ? {} : { "aria-describedby": undefined })}>
          <header className="sheet-head">
            <div>
              <Dialog.Title asChild>
                <h2>{title}</h2>
              </Dialog.Title>
              {note && (
                <Dialog.Description asChild>
                  <p className="help">{note}</p>
                </Dialog.Description>
              )}
            </div>
            <Dialog.Close asChild>
              <IconButton label="Close" icon="close" />
            </Dialog.Close>
          </header>
          <div className="sheet-body">{children}</div>
          <SaidHere />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** What a row opens, at the side; from below on a phone. */
export const Sheet = (props: Props) => <Surface kind="sheet" {...props} />;

/** A question in the middle of the page. */
export const Modal = (props: Props) => <Surface kind="dialog" {...props} />;
