# ruff: noqa: F403  the wildcard imports are for type checkers only
"""The data transfer objects of the API, named as its documents name them; one module an area.

All of them can be imported from here. A module is imported when something of it is asked for: there are three hundred
classes, and making them takes longer than importing everything else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ._base import Dto as Dto
    from ._base import Envelope as Envelope
    from .account import *
    from .cas import *
    from .common import *
    from .contacts import *
    from .devices import *
    from .fastpass import *
    from .identities import *
    from .invitations import *
    from .messages import *
    from .mfa import *
    from .mini_programs import *
    from .mobile import *
    from .passkeys import *
    from .permissions import *
    from .profile import *
    from .public_accounts import *
    from .push import *
    from .qrcode import *
    from .resources import *
    from .signin import *
    from .signup import *
    from .system import *
    from .tokens import *
    from .verification import *
    from .webauthn import *
    from .wechat import *

_MODULES: Final = {
    "_base": "Dto Envelope",
    "account": """DeleteAccounDto DeleteAccountByEmailPassCodeDto DeleteAccountByPasswordDto
        DeleteAccountByPhonePassCodeDto DeleteAccountVerifyMethod PasswordResetVerifyResp
        ResetPasswordByEmailPassCodeDto ResetPasswordByPhonePassCodeDto ResetPasswordDto ResetPasswordVerify
        ResetPasswordVerifyMethod UpdatePasswordDto ValidatePasswordDto ValidatePasswordRespDto
        ValidatePasswordResultDto VerifyDeleteAccountRequestDataDto VerifyDeleteAccountRequestDto
        VerifyDeleteAccountRequestRespDto VerifyResetPasswordRequestDto""",
    "cas": """Cas10ValidationResult Cas20AuthenticationFailure Cas20AuthenticationSuccess Cas20ServiceResponse
        Cas20ValidationResult""",
    "common": "CommonResponseDto IdentityProvider IsSuccessDto IsSuccessRespDto LangObject LangUnit UntypedRespDto",
    "contacts": """BindEmailDto BindPhoneDto UnbindEmailDto UnbindPhoneDto UpdateEmailByEmailPassCodeDto
        UpdateEmailDto UpdateEmailVerifyMethod UpdatePhoneByPhonePassCodeDto UpdatePhoneDto UpdatePhoneVerifyMethod
        VerifyUpdateEmailRequestData VerifyUpdateEmailRequestDto VerifyUpdateEmailRequestRespDto
        VerifyUpdatePhoneRequestData VerifyUpdatePhoneRequestDto VerifyUpdatePhoneRequestRespDto""",
    "devices": """DeviceInfo DeviceStatus DeviceType RevokeDeviceSessionDto TerminalSessionDto
        TerminalSessionRespDto UnbindDeviceDto""",
    "fastpass": """AppQRCodeLoginDto FastpassAction FastpassQRCodeRelationAppDto FastpassUserInfoDto
        GeneFastpassQRCodeInfoDto GeneFastpassQRCodeRespDto GetFastpassQRCodeRelationAppsDto
        GetFastpassQRCodeRelationAppsRespDto SignInFastpassDto SignInFastpassOptionsDto""",
    "identities": "GenerateBindExtIdpLinkDataDto GenerateBindExtIdpLinkRespDto GetIdentitiesRespDto UnlinkExtIdpDto",
    "invitations": """AppValidateRuleDto CustomFieldI18n ErrMsgI18nDto ExtendsFieldDto ExtendsFieldInputType
        ExtendsFieldSource ExtendsFieldType GenerateInvitationLinkDto GenerateInvitationLinkRespDto
        GenerateInviteeTokenDto GenerateInviteeTokenRespDto GetInviteeContextRespDto GetUniversalInvitationJoinRespDto
        GetUniversalInvitationPublicConfigRespDto InvitationLinkDto InviteeContextDto InviteeProfileDto InviterDetailDto
        JoinStatus PolicyInviteJoinedOptionsDto PolicyInviteeJoinedDto ReceiverType SendVerifyCodeMethod
        UniversalInvitationJoinRespDto UniversalInvitationPublicConfigDto UniversalInvitationUserJoinDto
        UniversalInviteeProfileDto UserPoolPublicConfigDto ValidateRuleType VerifyInviteCodeDto""",
    "messages": """CodeType EmailChannel PreCheckCodeDataDto PreCheckCodeDto PreCheckCodeRespDto
        PreCheckEmailCodeDto PreCheckSmsCodeDto SendEmailDto SendEmailRespDto SendSMSDto SendSMSRespDto SmsChannel""",
    "mfa": """EnrollFactorDto EnrollFactorEnrollmentDataDto EnrollFactorRespDto FactorDto FactorProfile
        FactorToEnrollDto FactorType GetFactorRespDto ListEnrolledFactorsRespDto ListFactorsToEnrollRespDto
        MfaOtpVerityDto MfaOtpVerityRespDto MfaTokenIntrospectEndpointParams MfaTokenIntrospectResponse OtpVerityRespDto
        ResetFactorDto ResetFactorRespDto SendEnrollFactorRequestDataDto SendEnrollFactorRequestDto
        SendEnrollFactorRequestOtpDataDto SendEnrollFactorRequestRespDto""",
    "mini_programs": """DecryptDouyinMiniProgramDataDto DecryptDouyinMiniProgramDataRespDto
        DecryptWechatMiniProgramDataDto DecryptWechatMiniProgramDataRespDto GetWechatAccessTokenDataDto
        GetWechatAccessTokenDto GetWechatAccessTokenInfoRespDto GetWechatAccessTokenRespDto""",
    "mobile": """AlipayAuthInfoDataDto GetAlipayAuthInfoRespDto MobileConnection SignInByAlipayPayloadDto
        SignInByAmazonPayloadDto SignInByApplePayloadDto SignInByBaiduPayloadDto SignInByDingTalkPayloadDto
        SignInByDouyinMiniProgramCodeAndPhonePayloadDto SignInByDouyinMiniProgramCodePayloadDto
        SignInByDouyinMiniProgramPhoneInfoPayloadDto SignInByDouyinPayloadDto SignInByFacebookPayloadDto
        SignInByGiteePayloadDto SignInByGithubPayloadDto SignInByGitlabPayloadDto SignInByGooglePayloadDto
        SignInByHuaweiPayloadDto SignInByKuaishouPayloadDto SignInByLarkBlockPayloadDto SignInByLarkInternalPayloadDto
        SignInByLarkPublicPayloadDto SignInByLinePayloadDto SignInByLinkedInPayloadDto SignInByMobileOptionsDto
        SignInByOPPOPayloadDto SignInByQQPayloadDto SignInBySlackPayloadDto
        SignInByWechatMiniProgramCodeAndPhonePayloadDto SignInByWechatMiniProgramCodePayloadDto
        SignInByWechatMiniProgramPhoneInfoPayloadDto SignInByWechatMiniProgramPhonePayloadDto SignInByWechatPayloadDto
        SignInByWechatworkAgencyPayloadDto SignInByWechatworkDto SignInByWeiboPayloadDto SignInByXiaomiPayloadDto
        SignInByYidunPayloadDto SigninByMobileDto""",
    "passkeys": """AuthenticationCredentialDto AuthenticationOptionsDto AuthenticatorAssertionResponseDto
        AuthenticatorAttestationResponseDto AuthenticatorCode CheckDeviceCredentialIdDto GetAuthenticationOptionsRespDto
        GetRegistrationOptionsRespDto ListDeviceCredentialDto ListWebAuthnAuthenticatorDeviceDataDto
        PublicKeyCredentialCreationOptionsDto PublicKeyCredentialDescriptorDto PublicKeyCredentialParametersDto
        PublicKeyCredentialRequestOptionsDto PublicKeyCredentialRpEntityDto PublicKeyCredentialUserEntityDto
        RegistrationCredentialDto RegistrationOptionsDto RemoveDeviceCredentialDto SignInByWebAuthnOptionsDto
        VerifyAuthenticationDto VerifyAuthenticationResultDto VerifyAuthenticationResultRespDto VerifyRegistrationDto
        VerifyRegistrationResultDto VerifyRegistrationResultRespDto WebAuthnCheckValidCredentialsByCredIdsRespDto
        WebAuthnRemoveCredentialDto""",
    "permissions": """AppType ArrResourceAuthAction ArrayAuthorize CheckPermissionArrayResourceDto
        CheckPermissionStringResourceDto CheckPermissionTreeResourceDto CheckResourcePermissionDataDto
        CheckResourcePermissionRespDto CheckResourcePermissionsRespDto EnablePermissionApplyApplication
        EnablePermissionApplyApplicationList EnablePermissionApplyApplicationListRes EnablePermissionApplyRole
        EnablePermissionApplyRoleListRes EnablePermissionApplyRolePageList GetUserAuthResourceListDataDto
        GetUserAuthResourceListRespDto GetUserAuthResourcePermissionList GetUserAuthResourcePermissionListDataDto
        GetUserAuthResourcePermissionListDto GetUserAuthResourcePermissionListRespDto GetUserAuthResourceStructDataDto
        GetUserAuthResourceStructDto GetUserAuthResourceStructRespDto OpenResource PermissionResourceType StrAuthorize
        StrResourceAuthAction TreeAuthBo TreeAuthorize TreeResourceAuthAction TreeStructs UserAuthResourceListDto""",
    "profile": """Gender GetSecurityInfoDto GetSecurityInfoRespDto IdentityDto UpdateUserProfileDto UserDto
        UserSingleRespDto UserSourceType UserStatus WorkStatus""",
    "public_accounts": """GetPublicAccountDataRespDto GetUserSelectLoginPublicAccountsDataDto
        GetUserSelectLoginPublicAccountsOriginUserDto ListPublicAccountDataDto PublicAccountSwitchLoginDto
        SignInBySwitchOptionsDto UserType""",
    "push": """ChangePushCodeStatusDto CheckPushCodeStatusDataDto CheckPushCodeStatusRespDto GenePushCodeDataDto
        GenePushCodeRespDto GetPushCodeRelationAppsDataDto GetPushCodeRelationAppsDto GetPushCodeRelationAppsRespDto
        PushCodeAction PushCodeStatus SignInByPushDto SignInByPushOptionsDto""",
    "qrcode": """ChangeQRCodeStatusDto CheckQRCodeStatusDataDto CheckQRCodeStatusRespDto
        ExchangeTokenSetWithQRcodeTicketDto GeneQRCodeDataDto GeneQRCodeRespDto GenerateQrcodeDto QRCodeAction
        QRCodeStatus QRCodeStatusBriefUserInfoDto QRCodeType""",
    "resources": """AccessibleAppsDto AuthorizedResourceDto AuthorizedResourcePaginatedRespDto
        AuthorizedResourcePagingDto AuthorizedResourceType GeoIp GeoIpLocation GetAccessibleAppsRespDto
        GetLoggedInAppsRespDto GetLoginHistoryRespDto GetTenantListRespDto GroupDto GroupListRespDto LoggedInAppsDto
        LoginHistoryDto LoginHistoryPaginatedRespDto ParsedUserAgent PolicyCondition PolicyConditionOperator
        PolicyConditionParam PolicyEffect RoleDto RoleListRespDto UserTenantListDto""",
    "signin": """GetCaptchaCodeDataDto GetCaptchaCodeRespDto LoginTokenRespDto LoginTokenResponseDataDto
        PasswordEncryptType SignInByAdPayloadDto SignInByLdapPayloadDto SignInByPassCodePayloadDto
        SignInByPasswordPayloadDto SignInConnection SignInOptionsDto SigninByCredentialsDto""",
    "signup": "SignUpByPassCodeDto SignUpByPasswordDto SignUpConnection SignUpDto SignUpOptionsDto SignUpProfileDto",
    "system": """CountryDetailInfo ExtIdpInfoDto ExtIdpType GetCountryListRespDto GetExtIdpsRespDto SystemInfoResp
        SystmeInfoRSAConfig SystmeInfoSM2Config SystmeInfoVersion""",
    "tokens": "IntrospectionResponse OIDCTokenResponse TokenSet UserInfo",
    "verification": "AccessToken IDToken",
    "webauthn": "FinalizeWebAuthnLoginDto UpdatePasskeyDto",
    "wechat": """BindByAccountIdInputApi BindByAccountInputApi BindByAccountsInputApi BindByEmailCodeInputApi
        BindByPhoneCodeInputApi BindByRegiserInputApi WechatLoginTokenRespDto WechatMobileAuthByCodeIdentityInput""",
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names.split()}


if not TYPE_CHECKING:  # type checkers read the imports above, and are not to believe in every other name
    __all__ = list(_MODULE_OF)

    def __getattr__(name: str) -> object:
        module = _MODULE_OF.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f".{module}", __name__), name)
        return found

    def __dir__() -> list[str]:
        return __all__
