/* Measures the contrast of what is written in a look that has not passed yet: what has the colours, the size and the ground of a
   text that passed, passes. Measuring a text takes longer than all other rules together. Gives what axe found, and the looks that
   passed now. */
async seen => {
  const known = new Set(seen)
  const looks = new Map()
  const grounds = new Map([[null, ""]])
  const ground = element => {
    if (!grounds.has(element)) {
      const style = getComputedStyle(element)
      const own = [style.backgroundColor, style.backgroundImage, style.opacity, style.filter, style.mixBlendMode].join(" ")
      const below = ground(element.parentElement)
      grounds.set(element, own === "rgba(0, 0, 0, 0) none 1 none normal" ? below : `${below} / ${own}`)
    }
    return grounds.get(element)
  }
  const written = element =>
    element.matches("input, select, textarea") || [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim())
  for (const element of document.body.querySelectorAll("*")) {
    if (!written(element) || !element.checkVisibility({visibilityProperty: true})) continue
    const style = getComputedStyle(element)
    const look = [style.color, style.fontSize, style.fontWeight, style.textShadow, ground(element)].join(" ")
    if (!known.has(look)) looks.set(element, look)
  }
  if (!looks.size) return [{violations: []}, []]
  const options = {runOnly: ["color-contrast"], resultTypes: ["violations", "passes"], elementRef: true, preload: false}
  const {violations, passes} = await axe.run({include: [...looks.keys()]}, options)
  const passed = passes.flatMap(rule => rule.nodes.map(node => looks.get(node.element)).filter(Boolean))
  return [{violations}, [...new Set(passed)]]
}
