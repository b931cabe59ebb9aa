// Sign a SendMessage with WSSecurityCert of the npm package soap: node signing.mjs WSDL URL KEY CERT
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const soap = createRequire(process.env.SOAP_MODULES + '/')('soap');
const [, , wsdl, url, key, certificate] = process.argv;
const request = JSON.parse(readFileSync(0, 'utf8'));
const client = await soap.createClientAsync(wsdl, {}, url);
client.setSecurity(
  new soap.WSSecurityCert(readFileSync(key), readFileSync(certificate, 'utf8'), '', {
    hasTimeStamp: true,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  }),
);
try {
  const [reply] = await client.SendMessageAsync(request);
  console.log(JSON.stringify({ receipt: reply.Receipt }));
} catch (error) {
  const fault = error.root?.Envelope?.Body?.Fault;
  if (!fault) throw error;
  console.log(JSON.stringify({ detail: fault.detail.ExchangeFault }));
}
