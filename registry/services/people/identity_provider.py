"""The government's identity provider: OpenID Connect for people, JSON Web Tokens for programs.

OpenID Connect Core 1.0 §3.1 (authorization code), RFC 7636 (PKCE), RFC 9207 (issuer of the answer),
RFC 9068 (access tokens). What the provider says of itself and its keys are kept for an hour.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from registry.errors import ConfigurationError, Unauthorized, Unavailable
from registry.http_client import exchange
from registry.services.operations import audit_trail
from registry.services.people import sessions
from registry.services.people.members import actor_of, digest_of, make_secret, unusable_link
from registry.settings import Settings
from registry.store import members
from registry.store.database import Connection, Database, retried
from registry.store.members import Member, SignInAttempt

LEEWAY = 60
"""Seconds by which clocks may differ."""

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
               "EdDSA", "Ed25519")  # fmt: skip
"""Only what is signed by a key of the provider's own: neither `none` nor a shared secret."""

_KEPT_SECONDS = 3600.0
_KEYS_AGAIN_SECONDS = 60.0
_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 2**20
_ACCESS_TOKEN_TYPES = {"at+jwt", "application/at+jwt", "jwt"}
LIFETIME = dt.timedelta(minutes=10)
_AGAIN = "again."
"""What the nonce of an attempt begins with that asks to sign in again."""


class PersonIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is at the provider; `email` only where the provider has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str | None


class ProgramGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a program of the provider's may do here: a line of `REGISTRY_OIDC_CLIENTS_FILE`."""

    scopes: list[str]
    agency: str | None = None
    actor: str | None = None


class ProviderMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0 §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class IdentityProvider:
    """One provider, as one process knows it."""

    def __init__(
        self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take the settings, of which the issuer is set, and read the files that they name."""
        self.issuer = settings.oidc_issuer or ""
        self.redirect_uri = f"{settings.base_url}/office/sign-in/oidc/callback"
        self.has_sign_in = settings.oidc_client_id is not None
        self._client_id = settings.oidc_client_id or ""
        self._client_secret = _read_secret(settings)
        self._audience = settings.oidc_audience
        self.has_programs = self._audience is not None
        self._client_claim = settings.oidc_client_claim
        self._programs = _read_programs(settings)
        self._transport = transport
        self._lock = asyncio.Lock()
        self._metadata: tuple[float, ProviderMetadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def authorization_address(
        self, *, state: str, nonce: str, verifier: str, max_age: dt.timedelta | None = None
    ) -> str:
        """Return the address at the provider where a person signs in.

        With a `max_age` she does so whatever it remembers of her, and it says when she did.
        """
        metadata = await self._read_metadata()
        more: dict[str, str] = {}
        if max_age is not None:
            more = {"prompt": "login", "max_age": f"{max_age.total_seconds():.0f}"}
        return str(
            prepare_grant_uri(
                metadata.authorization_endpoint,
                client_id=self._client_id,
                response_type="code",
                redirect_uri=self.redirect_uri,
                scope="openid email profile",
                state=state,
                nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier),
                code_challenge_method="S256",
                **more,
            )
        )

    async def identify(
        self,
        answer: Mapping[str, str],
        *,
        nonce: str,
        verifier: str,
        since: dt.datetime | None = None,
    ) -> PersonIdentity:
        """Exchange the code of an answer for an ID token, check it, and return whose it is.

        Raises `Unauthorized` where anything about them is not as it must be, or she has not signed
        in at the provider `since` a time.
        """
        metadata = await self._read_metadata()
        stated = answer.get("iss")
        if stated is None and metadata.authorization_response_iss_parameter_supported:
            raise Unauthorized("the answer does not name its issuer")
        if stated is not None and stated != self.issuer:
            raise Unauthorized("the answer is of another issuer")
        if not answer.get("code"):
            raise Unauthorized("the provider has signed nobody in")
        given = await self._exchange(metadata, answer["code"], verifier)
        try:
            token = await self._decode(given["id_token"])
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                    "nonce": {"essential": True, "value": nonce},
                },
                {
                    "nonce": nonce,
                    "client_id": self._client_id,
                    "access_token": given.get("access_token"),
                },
            )
            claims.validate(leeway=LEEWAY)
            subject = claims["sub"]
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise Unauthorized("the provider's token cannot be accepted") from error
        if not isinstance(subject, str) or not subject:
            raise Unauthorized("the provider's token names nobody")
        if since is not None:
            at = claims.get("auth_time")
            if not isinstance(at, int) or at < since.timestamp() - LEEWAY:
                raise Unauthorized("the provider has not asked you to sign in again; begin again")
        email, name = claims.get("email"), claims.get("name")
        is_verified = claims.get("email_verified") is True and isinstance(email, str)
        return PersonIdentity(
            issuer=self.issuer,
            subject=subject,
            email=email if is_verified else None,
            name=name if isinstance(name, str) else None,
        )

    async def recognise_program(self, token: str) -> tuple[str, ProgramGrant]:
        """Return which program an access token was issued to, and what it may do here.

        Raises `Unauthorized` for a token that is not for this register, or not valid, or of a
        program that the register does not know.
        """
        if self._audience is None:
            raise Unauthorized("this register takes no tokens of the identity provider")
        try:
            decoded = await self._decode(token)
            kind = str(decoded.header.get("typ", "jwt")).lower()
            if kind not in _ACCESS_TOKEN_TYPES or "nonce" in decoded.claims:
                raise Unauthorized("this is no access token; send the one for this register")
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self._audience},
                exp={"essential": True},
            ).validate(decoded.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise Unauthorized(
                "this token of the identity provider is not valid here: it has expired, is for "
                "another audience, or its signature is wrong; ask the provider for a new one"
            ) from error
        program = decoded.claims.get(self._client_claim)
        grant = self._programs.get(program) if isinstance(program, str) else None
        if grant is None or not isinstance(program, str):
            raise Unauthorized(
                "the register does not know this program; ask whoever runs it to add its "
                f"{self._client_claim}"
            )
        return program, grant

    async def check(self) -> None:
        """Raise `Unavailable` where the provider, asked now, does not answer as it should."""
        await self._read_keys(0)

    async def _decode(self, token: str) -> jwt.Token:
        """Check a token's signature; a key that is not known yet is asked for, once a minute."""
        keys = await self._read_keys(_KEPT_SECONDS)
        try:
            return jwt.decode(token, keys, algorithms=_ALGORITHMS)
        except (InvalidKeyIdError, ValueError):
            keys = await self._read_keys(_KEYS_AGAIN_SECONDS)
            return jwt.decode(token, keys, algorithms=_ALGORITHMS)

    async def _read_metadata(self) -> ProviderMetadata:
        async with self._lock:
            if self._metadata is None or time.monotonic() - self._metadata[0] > _KEPT_SECONDS:
                address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                content = await self._fetch("GET", address)
                try:
                    metadata = msgspec.json.decode(content, type=ProviderMetadata)
                except msgspec.MsgspecError as error:
                    raise _unusable() from error
                if metadata.issuer != self.issuer:
                    raise _unusable()
                self._metadata = time.monotonic(), metadata
            return self._metadata[1]

    async def _read_keys(self, oldest: float) -> KeySet:
        metadata = await self._read_metadata()
        async with self._lock:
            if self._keys is None or time.monotonic() - self._keys[0] > oldest:
                content = await self._fetch("GET", metadata.jwks_uri)
                try:
                    keys = KeySet.import_key_set(msgspec.json.decode(content))
                except (JoseError, msgspec.MsgspecError, KeyError, ValueError, TypeError) as error:
                    raise _unusable() from error
                self._keys = time.monotonic(), keys
            return self._keys[1]

    async def _exchange(
        self, metadata: ProviderMetadata, code: str, verifier: str
    ) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        auth = None
        if self._client_secret:
            # RFC 6749 §2.3.1: both are encoded as in a form before they are joined.
            auth = (quote_plus(self._client_id), quote_plus(self._client_secret))
        else:
            fields["client_id"] = self._client_id
        content = await self._fetch(
            "POST", metadata.token_endpoint, data=fields, auth=auth, refused=True
        )
        try:
            return msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Unauthorized("the provider's answer cannot be read") from error

    async def _fetch(
        self, method: str, address: str, *, refused: bool = False, **more: Any
    ) -> bytes:
        """Ask the provider; `refused` is whether a refusal is the caller's fault, not its."""
        try:
            async with httpx.AsyncClient(
                timeout=_TIMEOUT_SECONDS, transport=self._transport
            ) as client:
                answer = await exchange(
                    client, method, address, seconds=_TIMEOUT_SECONDS, most=_MOST_BYTES, **more
                )
        except httpx.HTTPError as error:
            raise _unusable() from error
        if refused and 400 <= answer.status < 500:  # noqa: PLR2004
            raise Unauthorized("the provider refuses the code")
        if answer.status != 200:  # noqa: PLR2004
            raise _unusable()
        return answer.content


def _unusable() -> Unavailable:
    return Unavailable("the identity provider does not answer as it should; try again in a moment")


def _read_secret(settings: Settings) -> str | None:
    path = settings.oidc_client_secret_file
    if path is None:
        return None
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"REGISTRY_OIDC_CLIENT_SECRET_FILE: {error}") from error


def _read_programs(settings: Settings) -> dict[str, ProgramGrant]:
    path = settings.oidc_clients_file
    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, ProgramGrant])
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigurationError(
            f"REGISTRY_OIDC_CLIENTS_FILE: {path}: {error}; it is an object of "
            '{"<client>": {"agency": "<code>", "scopes": ["file"]}}'
        ) from error


class NoMember(Unauthorized):
    """Somebody has shown who she is, and is no member; `identity` is what the provider says."""

    def __init__(self, identity: PersonIdentity) -> None:
        """Take the identity."""
        super().__init__("you are no member of this register's console")
        self.identity = identity


class ProviderSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who has signed in, the secret of her session, and where she meant to go."""

    member: Member
    session: str
    next_page: str | None


async def begin(
    database: Database,
    provider: IdentityProvider,
    *,
    next_page: str | None,
    link: str | None,
    again: bool = False,
    now: dt.datetime,
    random: Callable[[int], bytes],
) -> tuple[str, str]:
    """Begin an attempt; return its state, a secret of the browser's, and where to send that.

    `link` is the secret of the link by which a member binds her identity. The provider is asked to
    have her sign in `again`, whatever it remembers of her.
    """
    state, nonce, verifier = (make_secret(random) for _ in range(3))
    nonce = f"{_AGAIN if again else ''}{nonce}"
    attempt = SignInAttempt(
        nonce=nonce,
        verifier=verifier,
        next_page=next_page,
        invitation=None if link is None else digest_of(link),
        begun_at=now,
    )
    address = await provider.authorization_address(
        state=state, nonce=nonce, verifier=verifier, max_age=LIFETIME if again else None
    )
    async with database.connection() as connection:
        await members.insert_attempt(connection, digest_of(state), attempt)
    return state, address


@retried
async def finish(
    database: Database,
    provider: IdentityProvider,
    answer: Mapping[str, str],
    *,
    state: str | None,
    replaced: str | None,
    now: dt.datetime,
    random: Callable[[int], bytes],
    request: str = "",
) -> ProviderSignIn:
    """Take the provider's answer to the attempt of a browser, whose `state` it is, and sign in.

    Raises `NoMember` for an identity of nobody here, `Unauthorized` for any answer that is not to
    this attempt or not valid.
    """
    if not state or answer.get("state") != state:
        raise Unauthorized("this answer is not to what this browser has asked")
    async with database.transaction() as connection:
        attempt = await members.take_attempt(connection, digest_of(state))
    if attempt is None or attempt.begun_at <= now - LIFETIME:
        raise Unauthorized("this attempt to sign in has expired; begin again")
    identity = await provider.identify(
        answer,
        nonce=attempt.nonce,
        verifier=attempt.verifier,
        since=attempt.begun_at if attempt.nonce.startswith(_AGAIN) else None,
    )
    async with database.transaction() as connection:
        member = await _member_of(connection, identity, attempt, now)
        await members.mark_signed_in(connection, member.id, now)
        actor = actor_of(member, request=request)
        await audit_trail.note(connection, actor, "sign_in", str(member.id), before=None, now=now)
        session = await sessions.begin(
            connection, member, replaced=replaced, now=now, random=random
        )
    return ProviderSignIn(member=member, session=session, next_page=attempt.next_page)


async def _member_of(
    connection: Connection, identity: PersonIdentity, attempt: SignInAttempt, now: dt.datetime
) -> Member:
    known = await members.read_by_identity(connection, identity.issuer, identity.subject)
    if known is not None:
        return known
    if attempt.invitation is not None:
        link = await members.take_link(connection, attempt.invitation)
        invited = None if link is None else await members.lock(connection, link.member)
        if link is None or link.expires_at <= now or invited is None or invited.ended_at:
            raise unusable_link()
        found = [invited]
    else:
        email = identity.email
        found = await members.read_by_email(connection, email) if email else []
    # Of two members with one address nobody knows which one it is.
    if len(found) != 1 or not await members.bind(
        connection, found[0].id, identity.issuer, identity.subject
    ):
        raise NoMember(identity)
    return found[0]
