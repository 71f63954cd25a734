// Encrypts and decrypts as GenAuth's servers and browsers do. Bytes are hex, except RSA ciphertexts: base64.
"use strict";

const crypto = require("node:crypto");
const JSEncrypt = require("jsencrypt");
const { sm2 } = require("sm-crypto");
const { serve } = require("./lines");

const { RSA_NO_PADDING, RSA_PKCS1_PADDING } = crypto.constants;

const operations = {
  sm2_encrypt: ({ message, public_key, mode }) => sm2.doEncrypt(Buffer.from(message, "hex"), public_key, mode),

  sm2_decrypt: ({ ciphertext, private_key, mode }) =>
    Buffer.from(sm2.doDecrypt(ciphertext, private_key, mode, { output: "array" })).toString("hex"),

  rsa_encrypt: ({ message, public_key }) =>
    crypto
      .publicEncrypt({ key: public_key, padding: RSA_PKCS1_PADDING }, Buffer.from(message, "hex"))
      .toString("base64"),

  // Node refuses RSA_PKCS1_PADDING for decryption (CVE-2023-46809), so the padding is taken off here: 00 02 PS 00 M.
  rsa_decrypt: ({ ciphertext, private_key }) => {
    const key = { key: private_key, padding: RSA_NO_PADDING };
    const padded = crypto.privateDecrypt(key, Buffer.from(ciphertext, "base64"));
    const end = padded.indexOf(0, 2);
    if (padded[0] !== 0 || padded[1] !== 2 || end < 10) throw new Error("not EME-PKCS1-v1_5");
    return padded.subarray(end + 1).toString("hex");
  },

  jsencrypt_encrypt: ({ text, public_key }) => {
    const encryptor = new JSEncrypt();
    encryptor.setPublicKey(public_key);
    return encryptor.encrypt(text);
  },

  jsencrypt_decrypt: ({ ciphertext, private_key }) => {
    const decryptor = new JSEncrypt();
    decryptor.setPrivateKey(private_key);
    return decryptor.decrypt(ciphertext);
  },
};

serve(operations);
