import type { Credential, Descriptor } from "./bank";

/** Whether this browser makes and uses passkeys in the form that the server speaks. */
export const passkeysWork = typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

const WAIT_MS = 60_000;

/** A hash as WebAuthn writes bytes. */
export function base64url(hex: string): string {
  const bytes = (hex.match(/../g) ?? []).map((pair) => String.fromCharCode(parseInt(pair, 16)));
  return btoa(bytes.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function written(credential: globalThis.Credential | null): Credential {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("no passkey", "NotAllowedError");
  return { ...credential.toJSON() };
}

/** Signs the statement's hash. Throws a DOMException where the person does not want to, or has no such passkey here. */
export async function sign(hash: string, allowed: Descriptor[], rpId: string): Promise<Credential> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({
    challenge: base64url(hash), allowCredentials: allowed, rpId, userVerification: "required", timeout: WAIT_MS,
  });
  return written(await navigator.credentials.get({ publicKey }));
}

/** Makes a passkey. Throws as `sign` does. */
export async function make(options: PublicKeyCredentialCreationOptionsJSON): Promise<Credential> {
  return written(await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));
}
