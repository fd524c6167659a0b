/**
 * A page that runs Python: `npm install`, `npx vite`. No server part, no request to another origin.
 */
import { createPython } from "isopy";

const [code, button, state, output] = ["code", "run", "state", "output"].map((id) => document.getElementById(id));

const py = await createPython({
  onProgress: ({ stage, loaded, total }) => {
    state.textContent = `starting Python: ${stage}${total === undefined ? "" : ` ${loaded} of ${total}`}`;
  },
});
const session = await py.session();
const facts = await py.eval("{'sum': sum(xs), 'pi': round(__import__('math').pi, 5)}", { locals: { xs: [1, 2, 3] } });
state.textContent = `ready: ${JSON.stringify(facts)}`;
state.dataset.ready = "true";
button.disabled = false;

button.addEventListener("click", async () => {
  button.disabled = true;
  output.textContent = "";
  delete output.dataset.done;
  const cell = session.run(code.value);
  for await (const event of cell) {
    if (event.type === "stream") output.textContent += event.text;
    if (event.type === "execute_result") output.textContent += `${event.data["text/plain"]}\n`;
    if (event.type === "error") output.textContent += event.error.traceback;
  }
  output.dataset.done = "true";
  button.disabled = false;
});
