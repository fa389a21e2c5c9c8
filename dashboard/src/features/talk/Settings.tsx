import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { Menu, MenuChoice, MenuItem, MenuLabel } from "~/ui/Menu";
import { Icon } from "~/ui/icons";

import { canChooseOutput } from "~/voice/audio/context";

import { VOICES } from "./choices";
import { saveReport } from "./report";
import type { Talk } from "./talk";

/** Devices by name; browsers tell names only after the microphone was allowed once. */
function useDevices(hasMicrophone: boolean): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    const media = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
    if (!media) return;
    const look = () => void media.enumerateDevices().then((all) => setDevices(all.filter((one) => one.label !== "" && one.deviceId !== "default")));
    look();
    media.addEventListener("devicechange", look);
    return () => media.removeEventListener("devicechange", look);
  }, [hasMicrophone]);
  return devices;
}

export function Settings({ talk }: { talk: Talk }) {
  const { choices } = talk;
  const navigate = useNavigate();
  const devices = useDevices(Boolean(talk.session?.hasMicrophone));
  const microphones = devices.filter((one) => one.kind === "audioinput");
  const outputs = canChooseOutput() ? devices.filter((one) => one.kind === "audiooutput") : [];
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
        <MenuChoice checked={choices.isFilling} onSelect={() => void talk.choose({ isFilling: !choices.isFilling })}>
          Say so when something takes long
        </MenuChoice>
        <MenuChoice checked={choices.isGoingOn} onSelect={() => void talk.choose({ isGoingOn: !choices.isGoingOn })}>
          Go on by itself after a noise
        </MenuChoice>
        <MenuChoice checked={choices.hasSignals} onSelect={() => void talk.choose({ hasSignals: !choices.hasSignals })}>
          A tone when you were heard
        </MenuChoice>
        <MenuLabel>When something is wrong</MenuLabel>
        <MenuItem icon="doctor" onSelect={() => void navigate({ to: "/diagnostics" })}>
          Check the sound of this device
        </MenuItem>
        {talk.session && (
          <MenuItem icon="sessions" onSelect={() => saveReport(talk)}>
            Save a report without words
          </MenuItem>
        )}
        <MenuLabel>Microphone</MenuLabel>
        <MenuChoice checked={choices.deviceId === null} onSelect={() => void talk.choose({ deviceId: null })}>
          The browser’s choice
        </MenuChoice>
        {microphones.map((one) => (
          <MenuChoice key={one.deviceId} checked={choices.deviceId === one.deviceId} onSelect={() => void talk.choose({ deviceId: one.deviceId })}>
            {one.label}
          </MenuChoice>
        ))}
        {(outputs.length > 0 || choices.outputId !== null) && (
          <>
            <MenuLabel>Loudspeaker</MenuLabel>
            <MenuChoice checked={!outputs.some((one) => one.deviceId === choices.outputId)} onSelect={() => void talk.choose({ outputId: null })}>
              The browser’s choice
            </MenuChoice>
          </>
        )}
        {outputs.map((one) => (
          <MenuChoice key={one.deviceId} checked={choices.outputId === one.deviceId} onSelect={() => void talk.choose({ outputId: one.deviceId })}>
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
