"""What a finger can press."""

TOO_SMALL = """() => {
  const pressed = "a[href], button, input, select, textarea, summary, [role=menuitem], [role=option]";
  const place = (one) => one.closest("tr.opens") ?? (one.matches("[type=checkbox], [type=radio]") ? one.labels[0] : one);
  const isInSentence = (one) => one.matches("p a, dd a, .help a, td a:not(.row-link)") && one.closest("p, dd, .help, td").innerText.trim() !== one.innerText.trim();
  return [...document.querySelectorAll(pressed)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.matches(":not(.swagger-ui *)") && !isInSentence(one))
    .map((one) => [place(one).getBoundingClientRect(), one.outerHTML.slice(0, 160)])
    .filter(([{ width, height }]) => width > 1 && height > 1 && Math.min(width, height) < 43.9)
    .map(([{ width, height }, html]) => `${Math.round(width)} x ${Math.round(height)}: ${html}`);
}"""
"""What a finger misses: smaller than 44 px. A row that opens is pressed anywhere, a box by its label; words in a sentence are not counted."""
