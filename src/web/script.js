const all = (selector) => document.querySelectorAll(selector);
const add = (parent, tag, more) => parent.appendChild(Object.assign(document.createElement(tag), more));
const day = { day: "numeric", month: "short", year: "numeric" };
const clock = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const show = (at, kind, timeZone) => at.toLocaleString("en-GB", { ...day, ...(kind !== "day" && clock), timeZone }).replace("Sept", "Sep");
for (const time of all("[data-local]")) {
  const at = new Date(time.dateTime), kind = time.dataset.local;
  const here = show(at, kind), utc = show(at, kind, "UTC");
  time.textContent = here;
  if (here === utc) continue;
  time.title = utc;
  if (kind === "beside") add(time, "span", { className: "soft", textContent: ` (${utc.replace(`${show(at, "day")}, `, "")})` });
}
for (const part of all("[data-zone]")) part[part.options ? "value" : "textContent"] = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (navigator.clipboard) {
  const said = add(document.body, "p", { className: "unseen", ariaLive: "polite" });
  for (const source of all("[data-copy]")) {
    const button = add(source.parentElement, "button", { type: "button" });
    const word = add(button, "span", { textContent: "Copy" });
    add(button, "span", { className: "unseen", textContent: ` ${source.dataset.copy}` });
    button.onclick = async () => {
      const copy = navigator.clipboard.writeText(source.value ?? source.textContent);
      said.textContent = word.textContent = await copy.then(() => "Copied", () => "Not copied");
      setTimeout(() => { said.textContent = ""; word.textContent = "Copy"; }, 3000);
    };
  }
}
