// Call SendMessage with the npm package soap: node client.mjs WSDL VERSION inline|mtom < JSON > JSON
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const soap = createRequire(process.env.SOAP_MODULES + '/')('soap');
const [, , wsdl, version, way] = process.argv;
const request = JSON.parse(readFileSync(0, 'utf8'));
const client = await soap.createClientAsync(wsdl, { forceSoap12Headers: version === '1.2' });
const options = {};
if (way === 'mtom') {
  const body = Buffer.from(request.Container, 'base64');
  request.Container = {
    'xop:Include': {
      attributes: { 'xmlns:xop': 'http://www.w3.org/2004/08/xop/include', href: 'cid:container' },
    },
  };
  options.forceMTOM = true;
  options.attachments = [
    { mimetype: 'application/octet-stream', contentId: 'container', name: 'c', body },
  ];
}
try {
  const [reply] = await client.SendMessageAsync(request, options);
  console.log(JSON.stringify({ receipt: reply.Receipt }));
} catch (error) {
  const fault = error.root?.Envelope?.Body?.Fault;
  if (!fault) throw error;
  console.log(JSON.stringify({ detail: (fault.detail ?? fault.Detail).ExchangeFault }));
}
