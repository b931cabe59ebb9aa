// Call operations in their order with the npm package soap:
// node operations.mjs WSDL VERSION < [[name, {element: base64}], …] > replies
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const soap = createRequire(process.env.SOAP_MODULES + '/')('soap');
const [, , wsdl, version] = process.argv;
const client = await soap.createClientAsync(wsdl, { forceSoap12Headers: version === '1.2' });
const replies = [];
for (const [operation, request] of JSON.parse(readFileSync(0, 'utf8'))) {
  const [reply] = await client[`${operation}Async`](request);
  replies.push(reply);
}
console.log(JSON.stringify(replies));
