// Chuỗi thử EICAR: mọi trình quét đều coi là mã độc để thử hệ thống.
// The EICAR test string, which every scanner calls malware so that systems can be tested.
//
// Mỗi quy tắc mang một nhãn / every rule carries one tag:
//   malware     giữ lại ngay / held at once          (YARA_MALWARE)
//   suspicious  cộng điểm / adds to the score        (YARA_SUSPICIOUS)
// Không dùng include; chỉ dùng mô-đun / no include; modules allowed: pe elf math hash dotnet dex macho.

rule EICAR_TEST_FILE : malware
{
    meta:
        vi = "Chuỗi thử EICAR"
        en = "EICAR test string"
    strings:
        $a = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    condition:
        $a
}
