interface Props {
  label: string;
  value: number;
  most: number;
  tone: "uncapped" | "ok" | "warning" | "reached";
}

const TONES = { uncapped: "", ok: "", warning: "caution", reached: "danger" };

export function Meter({ label, value, most, tone }: Props) {
  const part = most > 0 ? Math.min(1, value / most) : 1;
  return (
    <div className={`meter ${TONES[tone]}`} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={most} aria-valuenow={Math.min(value, most)}>
      <span style={{ width: `${(part * 100).toFixed(1)}%` }} />
    </div>
  );
}
