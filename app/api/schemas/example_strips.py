"""Two strips of one computed person, ten seconds each, for examples that work when they are copied.

Nobody's heart: person 17 of `ml/synthetic`, session 0, recordings 0 and 1, at 100 Hz, whole microvolts.
"""

from __future__ import annotations

from typing import Any, Final

EXAMPLE_FS_HZ: Final = 100

_ENROLLED_B64: Final = (
    "fANiAZL/y/6Q/4j/pf+a/7b/nf+Q/63/sf+2/6X/0v/Z/wgAEgAmAE0AWwBVAD0AMAAIAAMA1f+2/8D/qf+a/73/jv+j/6H/tf+T"
    "/6v/r/+W/7P/vP+a/6f/rP/K/6n/nv+4/8P/uf+y/6j/0v+z/+D/3//7/y4AVQBIAAYAAgDk/+//mv/l/7f/2f/D/87/o/8eAL8B"
    "lwMSA7oAVf8i/6r/tv/Y/7z/2P/F/93/y//M/+n/6//z//n/JQAwAG4AWwB7AJ0AjAB9AHQAQgBAABwACAD5/+X/5f/s/+T/2v/V"
    "//X/3f/o/9j/9f/V//3/1//2/9T/+//y/9v/6f/7/+n/6P/r//D//P/c//r/CAAeADYAWAB5AF8AYQACABgA9//q/+L/6v/b//f/"
    "2f/D//T/RAE0A5UDnQHG/xL/Zf/S/9f/uv++/8z/5P+s/77/4//Q/8n/9f/8//P/VAA5AEQAdwBwAFwAPABGABIA3//z/8P/tv+r"
    "/7L/mv+u/6X/jv+n/6P/qP+G/6L/oP+k/43/k/+o/43/nf+S/53/gv+z/3f/of+b/4X/pP/C/9D/5f8oAAUA5P/Q/6T/jP+S/4T/"
    "gv+h/17/jv9u/0IAOwJyA50Bqf+P/jP/b/+Y/zj/mf9z/3P/bP+J/4n/hP+J/9j/vP/b/xkAHQAxABoAHwATAOH/tP+2/6L/jv9t"
    "/4n/hP94/3r/j/9l/4j/pf9k/33/nf+G/4v/hf+M/5T/lv+M/5T/kv+b/5L/vf+Q/8T/CgAYACMA+f/w/9v/lP+8/4v/w/+a/7T/"
    "l/+l/5kBjANuAg4AAP9R/5T/sv+q/6j/p/+8/7P/pv/X/8n/4v8WAAAAVwBnAFMAdwBUAEgAHQD4/+z/3f/G/6//zf/S/53/v//a"
    "/7X/t//K/8T/zf/A/7j/3f/C/9L/rP/i/93/s//F/+X/1f/h//T/OwBQAE4ANQD4//n/4v+0/9j/1f/S/7r/vv8pAEECxwPWAff/"
    "4v6V/7//xP+1/8z/x/+t/9L/0v/P/9v/9/8NADMATQBfAFsAmgBZAD0ALQAYAOn/6//A/7b/3f+4/7H/x/+t/9T/vf+z/8f/vP/Q"
    "/7n/xv+8/8z/y//G/8b/sv/v/7r/0P+8/+f/AADr/0sAOABwACIAEQDr/9v/5v/C/+H/0//I/+n/tf+kAN8CswPbAcT/C/+T/9r/"
    "0v/S/9L/2f/4/9f/v/8WAO3/CAAOADoASwB5AJIAjQCMAMUAggBeAGMALwApACkA9P/n/ykA+P/z//z///8hAPD/BQAOABEAGAD5"
    "/yUABgA2APf/HAA4ABYAEQAoACgAOAAZAB8AUwBiAGcAnQCwAL4AjwBiAEwAPABRACIANQBCADEAOQAdAJ8AdgIzBAUD7ACV/5b/"
    "HwA7ACgAJgA/ADAAKABMACUAQwBTAFEAeABxAK8AvwDMAOoA2ADNANoAkACaADsAdwBOAAYANgA6AA8AJAAhABAAMwAGAC4ACQAe"
    "AB4ADgAcAAUAJQAPAAEAEQAdAAcA9f8UABMABAALACkAVgB3AGsAcQBGADEA9P/j////6f/Y/+P/7f+l/z0A8AG+A3gCNwDz/mz/"
    "sv+5/7P/rP++/6r/sP+t/7P/zv+7/+r/9/8UAEAAPQA+AD4AKwASAM7/rP/c/37/ev97/5//Xf91/3T/eP9w/23/Yv93/23/Z/9n"
    "/1D/jP9g/z//cv99/0j/Wf9l/3n/e/+R/9X/6P/B/5n/gf9R/2z/SP87/2n/Tf8t/57/5wEnAzEB+P6T/hb/a/8o/y3/Uv83/2L/"
    "JP9U/2//ZP+r/43/4P/m/wQA7v/R/7v/tf9w/2//PP9q/0r/Nf9K/2L/K/9X/1L/Wf81/2P/U/9b/1P/V/9T/3L/Vv9l/1L/av+H"
    "/1j/nv+y/+7/AQDJ/6j/nv9+/3j/YP+V/3r/Xf9z/2kArQITA50A8/72/m7/hv+G/3v/jv+F/4P/pP+d/63/uv/d/yUABwBJADQA"
    "awBIAPX/FQDy/8v/q/+7/6f/tf+b/7v/nf+0/8D/pf+4/7H/xP/G/6f/xP/J/8z/v/+3/9r/0//K/77/5P/h/wAADABSAEwAagAq"
    "AAoA6f/v/+//x//s/9z//P+z/woAxwGuA+8C0wAz/2P/vv/z/+D/zv8FANr/6P/o/wkA7f8IABwAPAA6AIEAegCbAKgAsgCJAIYA"
    "ZABbABcAMQABAAkABAD6//T/CAD5/wUA8/8JAAcA/P8KAAIACgAKAAwABwAJABgACQATAAwAEQAfABIACwAlADUAIQB5AHYAmACZ"
    "AJcASAA/ADcAHgAUABkAMgASAAMANQADAL0A3wIGBM8CjACS/3L/8P8OACcA/f8PAB0ACwApAAkABQBKADIALQBLAHYApACNAJwA"
    "6AC6ALAAwAB9AGoAZABaAAEAKAAtAPf/HQD3/yoA3P8hABIABQDy/wUALgD3//b/CQAQAA8A+P8JAPj/DwAYAOj/+/8dAPH/EAAA"
    "AB4ARgBTAHMAlABKAFQAGwABAAYA4P/6/+T/+//r/8f/4//OAO8CsgP5AQIAGv9q/77/6v+k/+P/yP/H/8T/xP/Y/+P/xv/t/wsA"
    "KQAyAEkAXgCDAFoATwA9ABQA/f/x/7T/xP+q/77/lv+r/6L/oP+o/6X/nf+O/7z/kv8="
)
_PROBE_B64: Final = (
    "+f/V/xYA5f/x/wAALgAxAFYAfwB7ACkANgAWAOL/6P8LANz/4f/6/93/0f+XAKwC5AMdAisAKf9b/9n/xP/Y/+f/vP/G/+P/6v+6"
    "/8v/CAD1//7/DwBPAFgAYQB1AHcAYwBhAEQAAgAFAPP/1f+3/8j/rP/D/6b/rv+2/6v/p/+w/7X/n/+o/7f/nP+x/6f/pP+g/7H/"
    "p/+g/5f/s/+i/6b/lP+4/6j/z//0//j/KwADADMAtP+8/7H/lf+r/4j/kf+W/6z/Z/+d/24AkwJuA/IB3v/J/vT+of9v/3b/g/+V"
    "/4X/ev+K/4z/lv+Y/6//pv/X//X//f8ZADcAPwAkAFoA8//5//z/uf+0/53/o/+H/5T/i/+O/4n/jv+Q/5b/iv+T/5T/nP+L/6X/"
    "lP+L/7b/hv+6/3j/vP+e/6//if+w/7j/r/+5/+z/CgApADQADAD8/9T/yv+a/8f/lf/H/6//lP+z/7T/BAEoAzQDUQFZ/+P+ev+p"
    "/6P/nv+3/5n/s/+m/77/nv/M/9j/0P8HAA0ANwBnACoAfwBNADYAKgD3/+j/2f+y/7T/r/+o/5j/uv+d/5T/vP+j/5H/uP+p/5X/"
    "rP+o/7P/lf+U/83/o/+D/77/ov+2/5X/t//Q/+v/FwAhABkACgC9/8j/n/+l/47/tv+e/5T/bf8dAOsBmgPkAdH/x/5T/4T/if+I"
    "/6T/h/+H/5n/kf+1/5H/y//K/woA9v9FAC8AUwAoADcA/P/u/77/xP+e/5L/p/+L/5D/lf+X/5//jv+K/6//nf+U/6D/kP++/6D/"
    "mf+Z/7//q/+g/6//o//R/6r/9f/s/yQAVAA2AOf/8f/L/9b/rf/G/8H/yf/B/7D/mwDOAqUDcAGA//f+wf/I/8D/z//K/+L/vP/2"
    "/9f/2f8AAC4ACABHAHgAdQClAJQAhwB7AHQAQAATABoAEgDu/wAA4f/9/woA3P8BAPz/BADw/wgA+v8OAPv/CgD//w4AEgD7/xYA"
    "AwASACUA9f8MAD8ALwBgAFwAtwCSAGEAPwAwAAsANgD2/w0ACAAsAAMA2f85AW4DuwOGAeH/S/+8/+z/CAD5/+v//P/6//T/BQDp"
    "/xEAHQAfADAAYQCBAHYAlQCiAJEAXgByADIAEQALAO3/6P/H/9H/5P+3/8j/x//N/8X/rP/R/8T/sP+2/9f/k//L/7H/sP++/5X/"
    "xP+s/6f/pP+x/6b/2f+7/wIAGgAvAP3/4f/F/6n/lf+J/6T/d/+P/5n/Zf+S//gABwP/AvEAIP+e/lD/mv9G/17/g/93/2r/Vv+B"
    "/37/e/+J/6b/u//U//D/HQAHABsADQASAM3/vf+q/5v/Zf+M/2f/XP9s/3j/ZP9m/17/ff9+/1z/b/90/4b/cP90/3H/iv9//3//"
    "dv+M/4P/lP+A/5T/qP/Y/9z/FQAbAAMAxv/D/6b/nv+e/5//of+j/6T/kP+4ABUDZQO+AFv/Cf+I/5f/zf+T/7P/vP+x/8j/qv/V"
    "/+7/7v8KADAASwCMAFkAegB0AFMANAAKAA4A1v/b/wIAn//j/+j/vf/n/9H/0//k/97/2//W/+//2v/g/+3/2//z/9X/7//z/93/"
    "8//u/xgAVwA+AGMAdgA2AOr//v/n//T/3P/t/9D/1P8yAAoC2wMUAvT/FP+o/7n/2f/R/97/w/+z//L/0P/s/9P/CAA5ADUAXABq"
    "AHEAeQBCADMABwDj/+L/x/+s/7P/q/++/5//qf+m/6r/qv+l/6j/kv+r/7X/if+l/6H/kv+3/5D/kP+S/9T/hv/K////HAAJAPf/"
    "wf/C/3X/p/+K/4H/m/9+/2//MQCIAlIDBgFC/8D+bP+D/2f/if97/4H/df+R/4L/kP+8/6v/4P/4/xkAQQAgACsAMQDw//X/r/+l"
    "/6//p/9j/6P/if+T/5X/hP+V/6L/kv+e/57/mv+r/6H/qv+u/6v/oP/I/7//o/+v/+f/vP/o/wEAKgBxACgAPQD7//X/1//t/8b/"
    "6v/r/8f/8f///38BwgMiA78AXf9N/+v/AgDp/+b/AQAXAPz/6v8vAA4ALgBGAE0AZQDGAJkAuwDiAMoAsACnAJAATwBoAEIANQAy"
    "AC4AMAA+ACkALABGADkALgBHAEEAMgBVADIAVABCAEAAUQBNAEoAUgA7AGYAUwBHAF8AdgCZALkAxQDXAMwAewCBAFsARwBtADUA"
    "YABNAEkAIQC/AEgCKgRCAxABmf+k/zYAKgAyAEAAOQAkADcAQwAxADsASwBLAHQAfQCVALoAvwDkAMYAzwChAJoAZgBnAC0AHgAr"
    "ABUAEgDw/xIAHwDu//v/CwAGAP7/8P8HAPD/EQDY/wIABQDd//b//v/i//T/7f/r/+7/AQDy/0gAMwB0AFgASgAWAOH/EwCw/+v/"
    "4/+n/wcAtP+w/3oAiALWA+EB7P/7/oL/o/+3/6f/5v+h/67/xv+4/8f/1/+3/wYA/f8iADEAdQBAAGwAgAAhADMAFgDf/+b/xf+5"
    "/63/w/+t/6L/1f+C/9L/tP+0/6T/uv/P/6f/s/+//8f/sf+2/8//vP+z/8L/1v/A/8H/7/8LADcAQQBAAB4AEQDo/6j/6v/A/9D/"
    "yf/G/67/5f9aAXoDBgOvAGD/Gf+n/8n/xf/D/8z/t//K/9P/2f/A//v/+/8FAEIASgA="
)


def _recording(signal_b64: str) -> dict[str, Any]:
    """The strip as a recording of a request."""
    return {
        "modality": "ecg",
        "fs_hz": EXAMPLE_FS_HZ,
        "unit": "uV",
        "lead": "I",
        "signal_b64": signal_b64,
        "dtype": "int16",
    }


EXAMPLE_RECORDING: Final = _recording(_ENROLLED_B64)
EXAMPLE_PROBE: Final = _recording(_PROBE_B64)
