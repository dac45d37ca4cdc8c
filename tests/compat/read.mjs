// Reads texts with the npm package, as a page in a browser would: JSON on stdin, JSON on stdout.
import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";

const json = (path) => JSON.parse(readFileSync(path, "utf8"));

function read({ folder, texts, pairs }) {
  const tokenizer = new Tokenizer(
    json(`${folder}/tokenizer.json`),
    json(`${folder}/tokenizer_config.json`),
  );
  const whole = texts.map((text) => tokenizer.encode(text));
  const bare = texts.map((text) => tokenizer.encode(text, { add_special_tokens: false }).ids);
  const decode = (ids, skip) =>
    ids.length ? tokenizer.decode(ids, { skip_special_tokens: skip }) : "";
  return {
    whole: whole.map((one) => one.ids),
    bare,
    decoded: bare.map((ids) => decode(ids, true)),
    shown: whole.map((one) => decode(one.ids, false)),
    pairs: pairs.map(([text, text_pair]) => tokenizer.encode(text, { text_pair }).ids),
  };
}

process.stdout.write(JSON.stringify(json(0).map(read)));
