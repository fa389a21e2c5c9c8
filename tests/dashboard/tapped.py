"""What a page plays, tapped before it reaches the loudspeaker, and the tracks that it was given.

Recorded by a MediaRecorder, outside of the page's own thread: on a busy machine that one misses blocks, and the words in
them would seem unsaid.
"""

import base64

from playwright.sync_api import Page

TAP = """(() => {
  const connect = AudioNode.prototype.connect;
  window.__recorders = []; window.__tracks = []; window.__loud = 0;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode && !(this instanceof ScriptProcessorNode)) {
      const sink = this.context.createMediaStreamDestination();
      connect.call(this, sink);
      const recorder = new MediaRecorder(sink.stream);
      const pieces = [];
      recorder.ondataavailable = (event) => pieces.push(event.data);
      recorder.start();
      window.__recorders.push({ recorder, pieces });
      const meter = this.context.createScriptProcessor(4096, 1, 1);
      meter.onaudioprocess = ({ inputBuffer }) => {
        const block = inputBuffer.getChannelData(0);
        if (block.some((one) => Math.abs(one) > 0.015)) window.__loud += block.length / inputBuffer.sampleRate;
      };
      connect.call(this, meter);
      connect.call(meter, this.context.destination);
    }
    return connect.call(this, target, ...rest);
  };
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.__tracks.push(...stream.getTracks());
    return stream;
  };
})()"""
HAS_SPOKEN = """() => new Promise((resolve, reject) => {
  const look = setInterval(() => window.__loud > 5 && (clearInterval(look), resolve()), 100);
  setTimeout(() => (clearInterval(look), reject(new Error("five seconds of speech were never played"))), 40000);
})"""
"""Until five seconds of speech, pauses left out, went to the loudspeaker."""
RECORDED = """async () => {
  let whole = "";
  for (const { recorder, pieces } of window.__recorders) {
    if (recorder.state !== "inactive") {
      await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
    }
    const decoder = new OfflineAudioContext(1, 1, 24000); // what it decodes has its rate
    const sound = await decoder.decodeAudioData(await new Blob(pieces).arrayBuffer());
    const samples = Int16Array.from(sound.getChannelData(0), (one) => one * 32767);
    for (const byte of new Uint8Array(samples.buffer)) whole += String.fromCharCode(byte);
  }
  return btoa(whole);
}"""


def played(page: Page) -> bytes:
    """Everything that went to the loudspeaker, PCM16, mono, 24 kHz. Ends the recording."""
    return base64.b64decode(page.evaluate(RECORDED))


def live_tracks(page: Page) -> int:
    return page.evaluate("window.__tracks.filter((one) => one.readyState === 'live').length")
