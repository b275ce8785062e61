"use strict";
// The token stands in the fragment, which browsers send to nobody.
const token = decodeURIComponent(location.hash.slice(1));
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
const texts = status.dataset;
if (token === "") status.textContent = texts.missing;
else form.hidden = false;
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  status.textContent = texts.working;
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
      status.textContent = texts.done.replace("{name}", answer.user.name);
    } else {
      status.textContent = texts[answer.name] ?? answer.message;
    }
  } catch {
    status.textContent = texts.unreachable;
  }
  button.disabled = false;
});
