"""Some countries and regions: their codes in ISO 3166-1, telephone prefixes, and names as Unicode CLDR has them."""

from __future__ import annotations

from typing import NamedTuple

_REGIONAL_INDICATOR_A = 0x1F1E6


class Country(NamedTuple):
    """A country or region, with its names in simplified and traditional Chinese, Japanese and English."""

    alpha2: str
    alpha3: str
    phone_country_code: str
    zh_cn: str
    zh_tw: str
    ja_jp: str
    en_us: str

    @property
    def flag(self) -> str:
        """The flag as an emoji, made of the letters of the code."""
        return "".join(chr(_REGIONAL_INDICATOR_A + ord(letter) - ord("A")) for letter in self.alpha2)


COUNTRIES = (
    Country("AE", "ARE", "+971", "阿拉伯联合酋长国", "阿拉伯聯合大公國", "アラブ首長国連邦", "United Arab Emirates"),
    Country("AR", "ARG", "+54", "阿根廷", "阿根廷", "アルゼンチン", "Argentina"),
    Country("AT", "AUT", "+43", "奥地利", "奧地利", "オーストリア", "Austria"),
    Country("AU", "AUS", "+61", "澳大利亚", "澳洲", "オーストラリア", "Australia"),
    Country("BE", "BEL", "+32", "比利时", "比利時", "ベルギー", "Belgium"),
    Country("BR", "BRA", "+55", "巴西", "巴西", "ブラジル", "Brazil"),
    Country("CA", "CAN", "+1", "加拿大", "加拿大", "カナダ", "Canada"),
    Country("CH", "CHE", "+41", "瑞士", "瑞士", "スイス", "Switzerland"),
    Country("CN", "CHN", "+86", "中国", "中國", "中国", "China"),
    Country("DE", "DEU", "+49", "德国", "德國", "ドイツ", "Germany"),
    Country("DK", "DNK", "+45", "丹麦", "丹麥", "デンマーク", "Denmark"),
    Country("EG", "EGY", "+20", "埃及", "埃及", "エジプト", "Egypt"),
    Country("ES", "ESP", "+34", "西班牙", "西班牙", "スペイン", "Spain"),
    Country("FI", "FIN", "+358", "芬兰", "芬蘭", "フィンランド", "Finland"),
    Country("FR", "FRA", "+33", "法国", "法國", "フランス", "France"),
    Country("GB", "GBR", "+44", "英国", "英國", "イギリス", "United Kingdom"),
    Country("GR", "GRC", "+30", "希腊", "希臘", "ギリシャ", "Greece"),
    Country("HK", "HKG", "+852", "香港", "香港", "香港", "Hong Kong"),
    Country("ID", "IDN", "+62", "印度尼西亚", "印尼", "インドネシア", "Indonesia"),
    Country("IE", "IRL", "+353", "爱尔兰", "愛爾蘭", "アイルランド", "Ireland"),
    Country("IL", "ISR", "+972", "以色列", "以色列", "イスラエル", "Israel"),
    Country("IN", "IND", "+91", "印度", "印度", "インド", "India"),
    Country("IT", "ITA", "+39", "意大利", "義大利", "イタリア", "Italy"),
    Country("JP", "JPN", "+81", "日本", "日本", "日本", "Japan"),
    Country("KR", "KOR", "+82", "韩国", "南韓", "韓国", "South Korea"),
    Country("MO", "MAC", "+853", "澳门", "澳門", "マカオ", "Macao"),
    Country("MX", "MEX", "+52", "墨西哥", "墨西哥", "メキシコ", "Mexico"),
    Country("MY", "MYS", "+60", "马来西亚", "馬來西亞", "マレーシア", "Malaysia"),
    Country("NG", "NGA", "+234", "尼日利亚", "奈及利亞", "ナイジェリア", "Nigeria"),
    Country("NL", "NLD", "+31", "荷兰", "荷蘭", "オランダ", "Netherlands"),
    Country("NO", "NOR", "+47", "挪威", "挪威", "ノルウェー", "Norway"),
    Country("NZ", "NZL", "+64", "新西兰", "紐西蘭", "ニュージーランド", "New Zealand"),
    Country("PH", "PHL", "+63", "菲律宾", "菲律賓", "フィリピン", "Philippines"),
    Country("PL", "POL", "+48", "波兰", "波蘭", "ポーランド", "Poland"),
    Country("PT", "PRT", "+351", "葡萄牙", "葡萄牙", "ポルトガル", "Portugal"),
    Country("RU", "RUS", "+7", "俄罗斯", "俄羅斯", "ロシア", "Russia"),
    Country("SA", "SAU", "+966", "沙特阿拉伯", "沙烏地阿拉伯", "サウジアラビア", "Saudi Arabia"),
    Country("SE", "SWE", "+46", "瑞典", "瑞典", "スウェーデン", "Sweden"),
    Country("SG", "SGP", "+65", "新加坡", "新加坡", "シンガポール", "Singapore"),
    Country("TH", "THA", "+66", "泰国", "泰國", "タイ", "Thailand"),
    Country("TR", "TUR", "+90", "土耳其", "土耳其", "トルコ", "Türkiye"),
    Country("TW", "TWN", "+886", "台湾", "台灣", "台湾", "Taiwan"),
    Country("UA", "UKR", "+380", "乌克兰", "烏克蘭", "ウクライナ", "Ukraine"),
    Country("US", "USA", "+1", "美国", "美國", "アメリカ合衆国", "United States"),
    Country("VN", "VNM", "+84", "越南", "越南", "ベトナム", "Vietnam"),
    Country("ZA", "ZAF", "+27", "南非", "南非", "南アフリカ", "South Africa"),
)
