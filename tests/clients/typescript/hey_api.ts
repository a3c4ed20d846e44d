// Files, amends, searches and withdraws a record with the client that @hey-api/openapi-ts made.
import { createClient } from "./hey/client/index.js";
import { getRecord, listRecords, saveDraft, submitDraft, withdrawRecord } from "./hey/sdk.gen.js";
import type { Record as Document, SaveDraftData } from "./hey/types.gen.js";

export async function live(url: string, token: string, document: Document): Promise<void> {
  const client = createClient({ baseUrl: url, auth: token });
  const [agency, slug] = document.id!.split("/");
  const path = { agency, slug };

  async function file(record: Document, headers: SaveDraftData["headers"]) {
    const saved = await saveDraft({ client, path, headers, body: record });
    if (!saved.data?.publishable) throw new Error(JSON.stringify(saved.error));
    const tag = saved.response.headers.get("etag")!;
    const submitted = await submitDraft({ client, path, headers: { "If-Match": tag } });
    if (submitted.data?.outcome !== "published") throw new Error(JSON.stringify(submitted.error));
    return { version: submitted.data.version, tag: submitted.response.headers.get("etag")! };
  }

  const first = await file(document, { "If-None-Match": "*" });
  document.name!.fr = "Zanzibar, tri des demandes";
  document.publication!.change_note = { fr: "Correction du nom.", ar: "تصحيح اسم النظام." };
  const second = await file(document, { "If-Match": first.tag });
  if (first.version !== 1 || second.version !== 2) throw new Error("versions");

  const found = await listRecords({ client, query: { q: "zanzibar", lang: "fr", limit: 5 } });
  const ids = found.data?.items.map((item) => `${item.id} ${item.version}`);
  if (ids?.join() !== `${document.id} 2`) throw new Error(JSON.stringify(found.error));

  const gone = await withdrawRecord({
    client,
    path,
    headers: { "If-Match": second.tag },
    body: { reason: "other", note: { fr: "Essai d’un client.", ar: "تجربة." } },
  });
  if (gone.data?.outcome !== "withdrawn") throw new Error(JSON.stringify(gone.error));
  const read = await getRecord({ client, path });
  const problem = read.error as { tombstone?: { reason: string } } | undefined;
  if (problem?.tombstone?.reason !== "other") throw new Error(JSON.stringify(read.error));
}
