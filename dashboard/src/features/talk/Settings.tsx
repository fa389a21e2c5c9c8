import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { Menu, MenuChoice, MenuItem, MenuLabel } from "~/ui/Menu";
import { Icon } from "~/ui/icons";

import { VOICES } from "./choices";
import type { Talk } from "./talk";

/** Devices by name; browsers tell names only after the microphone was allowed once. */
function useMicrophones(hasMicrophone: boolean): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    const media = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
    if (!media) return;
    const look = () => void media.enumerateDevices().then((all) => setDevices(all.filter((one) => one.kind === "audioinput" && one.label !== "")));
    look();
    media.addEventListener("devicechange", look);
    return () => media.removeEventListener("devicechange", look);
  }, [hasMicrophone]);
  return devices;
}

export function Settings({ talk }: { talk: Talk }) {
  const { choices } = talk;
  const navigate = useNavigate();
  const microphones = useMicrophones(Boolean(talk.session?.hasMicrophone));
  return (
    <div className="row talk-settings">
      <Menu
        trigger={
          <button type="button" className="button small">
            <Icon name="workspace" size={18} /> Sound
          </button>
        }
      >
        <MenuLabel>How you talk</MenuLabel>
        <MenuChoice checked={choices.isPushToTalk} onSelect={() => void talk.choose({ isPushToTalk: !choices.isPushToTalk })}>
          Push to talk (hold Space)
        </MenuChoice>
        <MenuChoice checked={choices.isHalfDuplex} onSelect={() => void talk.choose({ isHalfDuplex: !choices.isHalfDuplex })}>
          Do not listen while answering
        </MenuChoice>
        <MenuChoice checked={choices.isSpoken} onSelect={() => void talk.choose({ isSpoken: !choices.isSpoken })}>
          Speak the answers
        </MenuChoice>
        <MenuItem icon="doctor" onSelect={() => void navigate({ to: "/diagnostics" })}>
          Check the sound of this device
        </MenuItem>
        <MenuLabel>Microphone</MenuLabel>
        <MenuChoice checked={choices.deviceId === null} onSelect={() => void talk.choose({ deviceId: null })}>
          The browser’s choice
        </MenuChoice>
        {microphones
          .filter((one) => one.deviceId !== "default")
          .map((one) => (
            <MenuChoice key={one.deviceId} checked={choices.deviceId === one.deviceId} onSelect={() => void talk.choose({ deviceId: one.deviceId })}>
              {one.label}
            </MenuChoice>
          ))}
        <MenuLabel>Voice of the next conversation</MenuLabel>
        <MenuChoice checked={choices.voice === null} onSelect={() => void talk.choose({ voice: null })}>
          As the workspace says
        </MenuChoice>
        {VOICES.map((voice) => (
          <MenuChoice key={voice} checked={choices.voice === voice} onSelect={() => void talk.choose({ voice })}>
            {voice}
          </MenuChoice>
        ))}
      </Menu>
    </div>
  );
}
