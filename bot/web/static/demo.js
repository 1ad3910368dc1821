// The line to copy names the server that the page came from.
(() => {
  "use strict";
  const line = document.querySelector("#line");
  line.textContent = line.textContent.replace("https://adresse-de-passerelle", location.origin);

  const copy = document.querySelector("#copy");
  const copied = document.querySelector("#copied");
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(line.textContent);
      copied.textContent = "La ligne est copiée.";
    } catch {
      copied.textContent = "La copie est refusée par le navigateur : sélectionnez la ligne.";
    }
  });
})();
