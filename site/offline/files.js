// For pages that are opened as files: browsers let no script read a file beside the page, but run it.
// Each file of the index, and each proof, lies there as a script that hands over what it holds.

"use strict";
{
  const given = new Map();
  globalThis.registerFile = (value) => given.set(document.currentScript.src, value);
  globalThis.fetch = (address) =>
    new Promise((resolve, reject) => {
      const url = new URL(address, document.baseURI);
      if (url.protocol !== "file:") return reject(new TypeError("A copy asks no register."));
      const script = document.createElement("script");
      script.src = `${url.href}.js`;
      script.addEventListener("error", () => reject(new TypeError("There is no such file.")));
      script.addEventListener("load", () => {
        const text = JSON.stringify(given.get(script.src));
        given.delete(script.src);
        script.remove();
        resolve(new Response(text, { headers: { "content-type": "application/json" } }));
      });
      document.head.append(script);
    });
}
