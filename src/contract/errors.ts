/**
 * Every error the API gives, as a closed set: a code has one status and one title. Clients branch on `code`; `detail` is for people.
 */
import * as v from 'valibot';

export const ERRORS = {
  invalid_body: { status: 400, title: 'The body is not what this call takes' },
  invalid_json: { status: 400, title: 'The body is not JSON' },
  invalid_query: { status: 400, title: 'A query parameter is not what this call takes' },
  invalid_cursor: { status: 400, title: 'The cursor is not one that this list gave' },
  contract_unsupported: { status: 400, title: 'The agent and the gateway speak different versions of the contract' },
  invalid_idempotency_key: { status: 400, title: 'The Idempotency-Key is not one' },
  unauthenticated: { status: 401, title: 'No valid credential' },
  token_expired: { status: 401, title: 'The token is outside its time' },
  join_token_invalid: { status: 401, title: 'The join token is unknown or revoked' },
  join_token_expired: { status: 401, title: 'The join token has expired' },
  join_token_used_up: { status: 401, title: 'The join token has been used as often as it may' },
  site_disabled: { status: 403, title: 'The site is disabled' },
  forbidden: { status: 403, title: 'This key may not do that' },
  origin_mismatch: { status: 403, title: 'The request comes from another site' },
  quota_exceeded: { status: 403, title: "The tenant's limit is reached" },
  not_found: { status: 404, title: 'There is no such thing here' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  name_taken: { status: 409, title: 'The name is taken' },
  member_taken: { status: 409, title: 'The person is a member already' },
  slug_taken: { status: 409, title: 'The slug is taken' },
  vni_taken: { status: 409, title: 'The VNI is in use' },
  vni_quarantined: { status: 409, title: 'The VNI rests in quarantine' },
  vni_exhausted: { status: 409, title: 'No VNI is free in the pools open to this tenant' },
  pool_overlap: { status: 409, title: 'Another VNI pool has numbers of that range' },
  vni_in_use: { status: 409, title: 'A VNI of that range is in use' },
  vtep_taken: { status: 409, title: 'Another site of this tenant has that VTEP' },
  tenant_not_empty: { status: 409, title: 'The tenant still has networks, sites or VNI pools' },
  plain_networks: { status: 409, title: 'The tenant has networks that are not encrypted' },
  key_taken: { status: 409, title: 'The public key belongs to another site' },
  idempotency_in_progress: { status: 409, title: 'The same request is being worked on' },
  idempotency_answer_lost: { status: 409, title: 'It was done, and its answer is gone' },
  mac_sticky: { status: 409, title: 'A person has set where the MAC address is' },
  mac_frozen: { status: 409, title: 'The MAC address moved too often and stays where it is for a while' },
  conflict: { status: 409, title: 'Something else changed at the same time' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  idempotency_mismatch: { status: 422, title: 'The Idempotency-Key came with another request before' },
  vni_out_of_range: { status: 422, title: 'The VNI is in no pool open to this tenant' },
  port_not_for_site: { status: 422, title: 'A site of this kind cannot have such a port' },
  transport_required: { status: 422, title: "The tenant's networks must be encrypted" },
  transport_not_for_site: { status: 422, title: 'A site of this kind cannot take part in an encrypted network' },
  upgrade_required: { status: 426, title: 'This address speaks WebSocket only' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The gateway failed' },
  unavailable: { status: 503, title: 'The store did not answer' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One fault of a body or query: where (`limits.networks`) and what would be right. */
export const FaultSchema = v.object({ path: v.string(), message: v.string() });
export type Fault = v.InferOutput<typeof FaultSchema>;

/** RFC 9457 problem details, as every error answer carries them. */
export const ProblemSchema = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  code: v.picklist(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  requestId: v.string(),
  errors: v.optional(v.array(FaultSchema)),
  /** With `vni_quarantined`: when the VNI can be had again. */
  until: v.optional(v.string()),
});
export type Problem = v.InferOutput<typeof ProblemSchema>;
