"use strict";
// The token stands in the fragment, which browsers send to nobody.
const token = decodeURIComponent(location.hash.slice(1));
const form = document.querySelector("form");
const line = document.querySelector("[role=status]");
const texts = line.dataset;
if (token === "") line.textContent = texts.missing;
else form.hidden = false;
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  line.textContent = texts.working;
  try {
    const response = await fetch("/api/v1/sign-up", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: form.elements.name.value, password: form.elements.password.value, setup_token: token }),
    });
    const answer = await response.json();
    if (response.ok) {
      history.replaceState(null, "", location.pathname);
      form.remove();
      line.textContent = texts.done.replace("{name}", answer.user.name);
    } else {
      line.textContent = texts[answer.name] ?? answer.message;
    }
  } catch {
    line.textContent = texts.unreachable;
  }
  button.disabled = false;
});
