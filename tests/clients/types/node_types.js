// node-postgres, with literals, with parameters, and with results in binary: `node node_types.js CONNECTION_URL [TYPE…]`.
// What the steps are, common.py says.
'use strict';

const fs = require('fs');
const path = require('path');
const { Client } = require('pg');

const RECORDS = [
  "ROW(1, 'a', NULL::int)",
  'ROW(true, 2::smallint, 3::bigint, 1.5::numeric, 0.5::real, 0.25::double precision)',
  "ROW(ARRAY[1, NULL, 3], ROW(1, 'b'), '{\"a\": 1}'::jsonb)",
];

function cases(only) {
  const found = [];
  for (const line of fs.readFileSync(path.join(__dirname, 'values.tsv'), 'utf8').split('\n')) {
    if (!line || line.startsWith('#')) continue;
    const [type, kind, ...texts] = line.split('\t');
    const unescaped = (text) => text.replace(/\\(.)/g, (_, letter) => ({ n: '\n', t: '\t' })[letter] ?? letter);
    const values = texts.map((text) => ({ text: unescaped(text.replace(/^!/, '')), refused: text.startsWith('!') }));
    const good = values.filter((value) => !value.refused).map((value) => value.text);
    const row = [good, [], [null, good[0]]].map((text) => ({ text }));
    const box = [{ text: [[good[0], null], [good[good.length - 1], good[0]]] }];
    for (const [behind, all] of [['', values], ['[]', row], ['[][]', box]]) {
      found.push({ type: type + behind, kind, values: [...all, { text: null }], table: `of_type_${found.length}` });
    }
  }
  return found.filter((one) => only.length === 0 || only.includes(one.type));
}

function plain(value, kind) {
  if (Array.isArray(value)) return `{${value.map((item) => element(item, kind)).join(',')}}`;
  return kind === 'bytes' ? `\\x${value}` : value;
}

function element(value, kind) {
  if (value === null) return 'NULL';
  if (Array.isArray(value)) return plain(value, kind);
  return `"${plain(value, kind).replace(/[\\"]/g, '\\$&')}"`;
}

function literal(value, kind) {
  return value === null ? 'NULL' : `'${plain(value, kind).replace(/'/g, "''")}'`;
}

// A value as JavaScript has it; what it has not is given as text, as people do.
function native(value, kind) {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item) => native(item, kind));
  switch (kind) {
    case 'bool':
      return value === 't';
    case 'int':
    case 'float':
      return Number(value);
    case 'long':
      return BigInt(value);
    case 'bytes':
      return Buffer.from(value, 'hex');
    case 'timestamp':
    case 'timestamptz': {
      const date = new Date(value.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00') + (kind === 'timestamp' ? 'Z' : ''));
      return /\.\d{4,}|BC|infinity|^0/.test(value) || Number.isNaN(date.getTime()) ? value : date;
    }
    default:
      return value;
  }
}

// A value that the client returned, with its type.
function told(value) {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return { Array: value.map(told) };
  if (Buffer.isBuffer(value)) return { Buffer: value.toString('hex') };
  if (value instanceof Date) return { Date: Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString() };
  if (typeof value === 'object') return { [value.constructor.name]: JSON.stringify(value) };
  if (typeof value === 'number') return { number: Object.is(value, -0) ? '-0' : String(value) };
  return { [typeof value]: String(value) };
}

class Steps {
  constructor(client, name, binary) {
    Object.assign(this, { client, name, binary });
  }

  async step(type, step, run) {
    const line = { client: this.name, type, step };
    try {
      line.got = await run();
    } catch (error) {
      line.got = error.code ? { error: error.code } : { client: error.constructor.name };
      line.says = error.message;
    }
    console.log(JSON.stringify(line));
    return !line.says;
  }

  async query(text, values) {
    const result = await this.client.query({ text, values, rowMode: 'array', binary: this.binary });
    return result.fields.length ? result.rows.map((row) => row.map(told)) : `${result.command} ${result.rowCount}`;
  }

  async columns(text) {
    const result = await this.client.query({ text, rowMode: 'array', binary: this.binary });
    return result.fields.map((one) => [one.name, one.dataTypeID, one.dataTypeSize, one.dataTypeModifier]);
  }

  async run(one) {
    const { type, kind, values, table } = one;
    await this.client.query(`DROP TABLE IF EXISTS ${table}`);
    if (!(await this.step(type, 'create', () => this.query(`CREATE TABLE ${table} (id integer, v ${type})`)))) return;
    for (const [at, { text }] of values.entries()) {
      const stored = () => this.query(`INSERT INTO ${table} VALUES ($1, $2)`, [at, native(text, kind)]);
      await this.step(type, `store ${at}`, stored);
      const written = `INSERT INTO ${table} VALUES (${100 + at}, ${literal(text, kind)})`;
      await this.step(type, `literal ${at}`, () => this.query(written));
    }
    await this.step(type, 'columns', () => this.columns(`SELECT * FROM ${table} LIMIT 0`));
    for (const at of values.keys()) {
      for (const id of [at, 100 + at]) {
        await this.step(type, `read ${id}`, () => this.query(`SELECT v FROM ${table} WHERE id = ${id}`));
      }
    }
    await this.step(type, 'texts', () => this.query(`SELECT id, v::text FROM ${table} ORDER BY id`));
    for (const [at, { text }] of values.entries()) {
      const where = `SELECT id FROM ${table} WHERE v = $1 ORDER BY id`;
      await this.step(type, `where ${at}`, () => this.query(where, [native(text, kind)]));
      await this.step(type, `cast ${at}`, () => this.query(`SELECT $1::${type}`, [native(text, kind)]));
    }
    if (!type.endsWith('[]')) {
      const all = values.filter((value) => value.text !== null && !value.refused).map(({ text }) => native(text, kind));
      const among = `SELECT id FROM ${table} WHERE v = ANY($1) ORDER BY id`;
      await this.step(type, 'any', () => this.query(among, [all]));
    }
    await this.step(type, 'cast columns', () => this.columns(`SELECT NULL::${type}`));
  }
}

async function main() {
  const [target, ...only] = process.argv.slice(2);
  for (const [name, binary] of [['node text', false], ['node binary', true]]) {
    const client = new Client({ connectionString: target });
    await client.connect();
    await client.query("SET TIME ZONE 'UTC'");
    const steps = new Steps(client, name, binary);
    for (const one of cases(only)) await steps.run(one);
    for (const record of only.length ? [] : RECORDS) {
      await steps.step('record', record, () => steps.query(`SELECT ${record}`));
      await steps.step('record', `columns of ${record}`, () => steps.columns(`SELECT ${record}`));
    }
    await client.end();
  }
}

process.env.TZ = 'UTC';
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
