// What a test sees of a talk from inside of its page: every frame of its sockets, every track it was ever given, and all that
// it plays and hears, on the clocks of the page. It changes nothing of them.
(() => {
  const probe = (window.__probe = { sent: [], got: [], tracks: [], closed: [], marks: [], sound: {}, played: [], heard: [], context: null });
  const now = () => performance.now();
  const bytes = (text) => Math.floor((text.length * 3) / 4) - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);

  const mark = (type) => probe.marks.push({ at: now(), type });
  for (const type of ["click", "visibilitychange", "keydown"]) addEventListener(type, () => mark(type), { capture: true });
  const ask = window.fetch.bind(window);
  window.fetch = async (...given) => {
    const wait = probe.slowTools && new URL(given[0].url ?? given[0], location).pathname.startsWith("/api/v1/tools/") ? probe.slowTools : 0;
    if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
    const response = await ask(...given);
    mark(`${response.status} ${new URL(response.url).pathname}`);
    return response;
  };

  const seen = (frame) => {
    const { type, item_id: item, response_id, response, delta, transcript, error } = frame;
    const told = { at: now(), frame: probe.context ? probe.context.currentTime : 0, type, item, transcript, code: error?.code };
    if (frame.session?.audio?.output) told.voice = frame.session.audio.output.voice;
    if (response) Object.assign(told, { response: response.id, status: response.status, usage: response.usage, isAside: response.conversation_id === null });
    if (type === "response.output_audio.delta") {
      Object.assign(told, { response: response_id, bytes: bytes(delta) });
      (probe.sound[item] ??= []).push(delta);
    }
    probe.got.push(told);
  };

  const said = (socket, frame) => {
    const told = { at: now(), socket, type: frame.type, item: frame.item_id ?? frame.item?.id, kind: frame.item?.type, role: frame.item?.role, text: frame.item?.content?.[0]?.text };
    if (frame.type === "input_audio_buffer.append") Object.assign(told, { bytes: bytes(frame.audio), isSilent: /^A*=*$/.test(frame.audio) });
    if (probe.keepsSent && frame.type === "input_audio_buffer.append") probe.keepsSent.push(frame.audio);
    if (frame.type === "conversation.item.truncate") told.endMs = frame.audio_end_ms;
    probe.sent.push(told);
  };

  const sink = AudioContext.prototype.setSinkId;
  AudioContext.prototype.setSinkId = function (device) {
    (probe.sinks ??= []).push(device);
    return sink.call(this, device);
  };
  const play = AudioScheduledSourceNode.prototype.start;
  AudioScheduledSourceNode.prototype.start = function (...given) {
    if (this instanceof OscillatorNode) (probe.tones ??= []).push({ at: now() });
    return play.apply(this, given);
  };

  let sockets = 0;
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.number = sockets++;
      probe.tell = (frame) => this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
      this.addEventListener("message", (event) => seen(JSON.parse(event.data)));
      this.addEventListener("close", (event) => probe.closed.push({ at: now(), socket: this.number, code: event.code }));
    }
    send(text) {
      said(this.number, JSON.parse(text));
      super.send(text);
    }
  };

  const media = navigator.mediaDevices;
  if (media) {
    const give = media.getUserMedia.bind(media);
    media.getUserMedia = async (wanted) => {
      await window.__before?.();
      const stream = await (window.__instead ?? give)(wanted);
      for (const track of stream.getTracks()) {
        const kept = { at: now(), stoppedAt: null, track };
        probe.tracks.push(kept);
        const stop = track.stop.bind(track);
        track.stop = () => {
          kept.stoppedAt ??= now();
          stop();
        };
      }
      return stream;
    };
  }

  const connect = AudioNode.prototype.connect;
  const taps = new WeakMap();
  const tapped = async (node, into) => {
    const { context } = node;
    if (!taps.has(context)) taps.set(context, context.audioWorklet.addModule(URL.createObjectURL(new Blob([window.__tap], { type: "text/javascript" }))));
    await taps.get(context);
    const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 1, outputChannelCount: [1] });
    tap.port.onmessage = ({ data }) => into.push({ ...data, rate: context.sampleRate });
    connect.call(node, tap);
    const mute = new GainNode(context, { gain: 0 });
    connect.call(tap, mute);
    connect.call(mute, context.destination);
    (probe.taps ??= []).push(tap);
  };
  AudioNode.prototype.connect = function (target, ...rest) {
    if (window.__tap && target instanceof AudioDestinationNode) {
      probe.context = this.context;
      probe.latency = () => this.context.outputLatency;
      void tapped(this, probe.played);
    }
    if (window.__tap && this instanceof MediaStreamAudioSourceNode) void tapped(this, probe.heard);
    return connect.call(this, target, ...rest);
  };

  probe.live = () => probe.tracks.filter(({ track }) => track.readyState === "live").length;
  /** When the last track stopped to be live, as far as the page stopped it. */
  probe.released = () => Math.max(...probe.tracks.map(({ stoppedAt }) => stoppedAt ?? Infinity));
  probe.recorded = (blocks) => {
    const last = blocks.at(-1);
    if (!last) return { rate: 0, begin: 0, missed: 0, samples: "" };
    const begin = blocks[0].begin;
    const missed = last.begin + last.samples.length - begin - blocks.reduce((sum, { samples }) => sum + samples.length, 0);
    const whole = new Int16Array(last.begin + last.samples.length - begin);
    for (const block of blocks) block.samples.forEach((one, place) => (whole[block.begin - begin + place] = Math.round(Math.max(-1, Math.min(1, one)) * 32767)));
    let text = "";
    const raw = new Uint8Array(whole.buffer);
    for (let place = 0; place < raw.length; place += 32768) text += String.fromCharCode(...raw.subarray(place, place + 32768));
    return { rate: last.rate, begin, missed, samples: btoa(text) };
  };
})();
