// Shows whether this screen is paired with the till, and asks for the code if it is not.
const main = document.getElementById("main");

async function session() {
  const answer = await fetch("/v1/session");
  return answer.ok ? answer.json() : null;
}

async function pair(code) {
  const answer = await fetch("/v1/pair", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code, name: "Till screen" }),
  });
  return answer.ok ? null : (await answer.json()).cashier;
}

function show(now) {
  const line = document.createElement("p");
  line.textContent = now ? `${now.store} · ${now.terminal}` : "Type the code that `tilld pair` shows.";
  main.append(line);
  if (now) return;
  const code = document.createElement("input");
  code.setAttribute("aria-label", "Pairing code");
  code.inputMode = "numeric";
  code.addEventListener("change", async () => {
    const wrong = await pair(code.value);
    if (wrong) line.textContent = wrong;
    else location.reload();
  });
  main.append(code);
}

show(await session());
